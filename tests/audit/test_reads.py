"""What is asked of the audit is found, all of it and nothing else, whichever way leads there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final

import pytest

from audit.models import Entry
from audit.reads.files import lines_of
from audit.reads.filters import GROUPS, EntryFilter, known_act, moment_in
from audit.reads.ways import FEW
from catalog.reads.entries import entries_of
from tests.audit.entries import BEGAN, D1, D2, many, told

pytestmark = pytest.mark.django_db
ASKED: Final[dict[str, Any]] = {
    "act": ("", "pull", "pushes", "breaches"),
    "repository": ("", "team/app", "team/*", "*/api", "te*m/*p", "team/[ab]*", "%*"),
    "tag": ("", "1.0"),
    "actor": ("", "ci-1"),
    "outcome": ("", "done", "failed"),
    "digest": ("", D1),
}


def fits(entry: Entry, asked: EntryFilter) -> bool:
    """The same, said once more in Python."""
    return all(
        (
            not asked.act or entry.act in GROUPS.get(asked.act, (asked.act,)),
            not asked.repository or _fits_name(entry.repository, asked.repository),
            not asked.tag or entry.tag == asked.tag,
            not asked.actor or entry.actor == asked.actor,
            not asked.address or entry.address == asked.address,
            not asked.outcome or entry.outcome == asked.outcome,
            not asked.source or entry.source == asked.source,
            not asked.digest or asked.digest in {entry.digest_before, entry.digest_after},
            asked.registry_id is None or entry.registry_id == asked.registry_id,
            not asked.since or entry.at >= asked.since,
            not asked.until or entry.at < asked.until,
        )
    )


def _fits_name(name: str, pattern: str) -> bool:
    if "*" not in pattern:
        return name == pattern
    first, *others = pattern.split("*")
    if not name.startswith(first):
        return False
    name = name[len(first) :]
    for other in others[:-1]:
        if other not in name:
            return False
        name = name.partition(other)[2]
    return name.endswith(others[-1])


def walked(asked: EntryFilter, few: int) -> Iterator[Entry]:
    """All, from page to page."""
    token: str | None = None
    for _ in range(200):
        found = entries_of(asked, token, size=7, begins_anew=False, few=few)
        yield from found.page.rows
        token = found.page.next
        if token is None:
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize("few", [3, 20, FEW])
def test_every_way_finds_the_same(few: int) -> None:
    many(60)
    every = list(Entry.objects.order_by("-pk"))
    for values in product(*ASKED.values()):
        if 3 < sum(map(bool, values)) < len(values):
            continue  # between some and all, one more is one more condition on each row
        asked = EntryFilter(**dict(zip(ASKED, values, strict=True)))
        assert list(walked(asked, few)) == [entry for entry in every if fits(entry, asked)], asked


@pytest.mark.parametrize("few", [3, FEW])
@pytest.mark.parametrize("more", [{}, {"actor": "ci-1"}, {"act": "pushes", "source": "event"}, {"registry_id": 2}])
def test_a_time_is_exact_though_ids_tell_it_only_nearly(few: int, more: dict[str, Any]) -> None:
    many(120)
    every = list(Entry.objects.order_by("-pk"))
    for since, until in [(40, None), (None, 50), (30, 80), (31, 32), (500, None), (None, -1)]:
        asked = EntryFilter(
            since=None if since is None else BEGAN + timedelta(minutes=since),
            until=None if until is None else BEGAN + timedelta(minutes=until),
            **more,
        )
        assert list(walked(asked, few)) == [entry for entry in every if fits(entry, asked)], asked


@pytest.mark.parametrize("few", [3, FEW])
def test_a_file_has_what_the_pages_have(few: int) -> None:
    many(60)
    for asked in (EntryFilter(), EntryFilter(act="pushes", actor="ci-1"), EntryFilter(digest=D1)):
        text = b"".join(lines_of(asked, "jsonl", few)).decode()
        assert [json.loads(line)["id"] for line in text.splitlines()] == [entry.pk for entry in walked(asked, few)]


def test_what_was_not_looked_at_is_said() -> None:
    many(30)
    told("rare", actor="nobody", tag="other", at=BEGAN)
    many_more = [told(f"more-{number}", actor="often", act="pull") for number in range(30)]
    asked = EntryFilter(actor="often", outcome="done", tag="1.0")
    first = entries_of(asked, None, size=5, few=10)
    assert [entry.pk for entry in first.page.rows] == [entry.pk for entry in many_more[:-6:-1]]
    assert not first.ends_early
    lost = entries_of(EntryFilter(outcome="done", actor="often", repository="*x"), None, few=10)
    assert lost.page.rows == []
    assert lost.ends_early
    assert lost.page.next


def test_empty_tables_and_bent_tokens_have_a_page() -> None:
    for asked in (EntryFilter(), EntryFilter(act="pushes", actor="x", since=BEGAN), EntryFilter(digest=D2)):
        for token in (None, "bent", "WyJuZXdlc3QiLDAsNSw1XQ"):
            assert entries_of(asked, token).page.rows == []


@pytest.mark.parametrize(
    ("text", "ends", "moment"),
    [
        ("", False, None),
        ("2026-11-02", False, datetime(2026, 11, 2, tzinfo=UTC)),
        ("2026-11-02", True, datetime(2026, 11, 3, tzinfo=UTC)),
        ("2026-11-02T10:00", True, datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ("2026-11-02T10:00:00+09:00", False, datetime(2026, 11, 2, 1, tzinfo=UTC)),
        ("2026-11-02T10:00:00 09:00", False, datetime(2026, 11, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read(text: str, moment: datetime | None, *, ends: bool) -> None:
    assert moment_in(text, ends=ends) == moment


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "9999-12-31", "0001-01-01T00:00+09:00", "2026-11-02T99:00"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  Django's own sentences
        moment_in(text, ends=True)


def test_acts_and_their_groups_are_known() -> None:
    assert [known_act(text) for text in ("pull", "pushes", "explode", "")] == ["pull", "pushes", "", ""]
    assert not GROUPS.keys() & set(Entry.Act.values)


def test_the_ends_of_time_may_be_asked_for() -> None:
    one = told("1")
    since, until = moment_in("0001-01-01"), moment_in("9999-12-31T23:59:59Z")

    assert list(walked(EntryFilter(since=since, until=until), FEW)) == [one]
    assert not list(walked(EntryFilter(until=since), FEW))
    assert not list(walked(EntryFilter(since=until), FEW))
