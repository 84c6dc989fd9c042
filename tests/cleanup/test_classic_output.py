"""What `garbage-collect` prints, of both generations; and what a dry run has to say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cleanup.classic.output import NotUnderstood, Output, Summary
from cleanup.classic.policy import Dooming, Objection, objections

pytestmark = pytest.mark.any_database

_A, _B = (f"sha256:{letter * 64}" for letter in "ab")
_OF_2 = f"""m/idx
m/idx: marking manifest {_A}
m/idx: marking blob sha256:{"7" * 64}

7 blobs marked, 2 blobs and 0 manifests eligible for deletion
blob eligible for deletion: {_A}
blob eligible for deletion: {_B}
"""
_OF_3 = f"""m/idx
m/idx: marking manifest {_A}
manifest eligible for deletion: {{m/idx {_A} [v1]}}
7 blobs marked, 2 blobs and 1 manifests eligible for deletion
blob eligible for deletion: {_A}
blob eligible for deletion: {_B}
m/idx: layer link eligible for deletion: {_B}
"""


def _read(text: str) -> tuple[Summary, list[str]]:
    taken: list[str] = []
    output = Output(taken.extend)
    for line in text.encode().split(b"\n"):
        output.feed(line)
    return output.summary(), taken


@pytest.mark.parametrize(("text", "summary"), [(_OF_2, Summary(7, 2, 0)), (_OF_3, Summary(7, 2, 1))])
def test_both_generations(text: str, summary: Summary) -> None:
    assert _read(text) == (summary, [_A, _B])
    assert _read(text.replace("\n", "\r\n")) == (summary, [_A, _B])  # through a terminal


@pytest.mark.parametrize(
    "text",
    [
        "",
        _OF_2.replace("7 blobs marked", "many blobs marked"),
        _OF_2.replace(f"blob eligible for deletion: {_B}\n", ""),  # cut short
        _OF_2 + f"blob eligible for deletion: {_B}\n",
        _OF_2 + "8 blobs marked, 2 blobs and 0 manifests eligible for deletion\n",
        _OF_2.replace(_B, "sha256:../../etc"),
        _OF_2.replace("2 blobs and", "-2 blobs and"),
    ],
)
def test_what_is_not_all_of_it_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        _read(text)


@given(some.text())
def test_nothing_else_is_ever_taken_for_it(text: str) -> None:
    with pytest.raises(NotUnderstood):
        _read(text)


def test_many_are_handed_over_in_parts() -> None:
    parts: list[int] = []
    output = Output(lambda digests: parts.append(len(digests)))
    for n in range(1_201):
        output.feed(f"blob eligible for deletion: sha256:{n:064x}".encode())
    output.feed(b"0 blobs marked, 1201 blobs and 0 manifests eligible for deletion")

    assert output.summary().total == 1_201
    assert parts == [500, 500, 201]


@pytest.mark.parametrize(
    ("dooming", "allowed", "found"),
    [
        (Dooming(80, 20, 0, 0, 0), {}, []),
        (Dooming(79, 20, 0, 0, 0), {}, [Objection.MANY]),
        (Dooming(79, 20, 0, 0, 0), {"doomed": 20}, []),
        (Dooming(79, 21, 0, 0, 0), {"doomed": 20}, [Objection.MANY]),
        (Dooming(79, 21, 0, 0, 0), {"doomed": "all"}, [Objection.MANY]),
        (Dooming(100, 1, 0, 0, 2), {}, [Objection.TRASH]),
        (Dooming(100, 1, 0, 0, 2), {"trash": 2}, []),
        (Dooming(100, 1, 0, 1, 0), {"doomed": 10**9, "trash": 10**9}, [Objection.IN_USE]),
        (Dooming(100, 0, 1, 0, 0), {"doomed": 10**9, "trash": 10**9}, [Objection.MANIFESTS]),
        (Dooming(0, 9, 0, 0, 9), {}, [Objection.MANY, Objection.TRASH]),
        (Dooming(0, 9, 1, 1, 9), {}, [Objection.MANIFESTS, Objection.IN_USE, Objection.MANY, Objection.TRASH]),
    ],
)
def test_what_speaks_against_it(dooming: Dooming, allowed: dict[str, object], found: list[Objection]) -> None:
    assert objections(dooming, allowed) == found
