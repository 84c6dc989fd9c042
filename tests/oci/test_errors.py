from __future__ import annotations

import pickle

import pytest

from oci import errors
from oci.errors import Reason, Refused


def every_kind(kind: type[errors.RegistryError] = errors.RegistryError) -> list[type[errors.RegistryError]]:
    return [
        kind,
        *(each for child in kind.__subclasses__() if child.__module__ == "oci.errors" for each in every_kind(child)),
    ]


def test_every_kind_of_error_has_a_code_of_its_own_and_a_place_in_the_drawing() -> None:
    kinds = every_kind()

    assert len({kind.code for kind in kinds}) == len(kinds) == 14
    for kind in kinds:
        assert f"{kind.__name__}" in (errors.__doc__ or "")
        assert kind.code.replace("-", "").isalpha()


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "refused"), (401, "unauthorized"), (403, "denied"), (404, "not-found"), (405, "unsupported"), (429,
     "too-many-requests"),
     (500, "unavailable"), (503, "unavailable"), (599, "unavailable"), (418, "refused")],
)  # fmt: skip
def test_a_refusal_is_of_the_kind_of_its_status(status: int, code: str) -> None:
    refusal = Refused.build("GET v2/", status, [Reason("A", "b"), Reason("C")])

    assert refusal.code == code
    assert refusal.answered == status
    assert str(refusal) == f"GET v2/ was refused with {status}: A b; C"


def test_an_error_survives_a_queue() -> None:
    refusal = Refused.build("GET v2/", 404, [Reason("NAME_UNKNOWN", "no")])
    named = errors.InvalidName("tag", "a b")

    again = pickle.loads(pickle.dumps(refusal))  # noqa: S301  our own bytes

    assert (type(again), str(again), again.reasons) == (errors.NotFound, str(refusal), refusal.reasons)
    assert str(pickle.loads(pickle.dumps(named))) == str(named)  # noqa: S301


def test_a_name_that_is_refused_is_shown_short_and_escaped() -> None:
    assert str(errors.InvalidName("tag", "a\nb\u202e")) == r"'a\nb\u202e' is not a valid tag"
    assert str(errors.InvalidName("tag", "x" * 10_000)) == f"'{'x' * 80}'… is not a valid tag"
