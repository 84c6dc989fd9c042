from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalog.policy import Holdings, lead_of, must_ask, next_scan_at, scan_every
from catalog.sort_keys import name_key


@pytest.mark.parametrize(
    ("tags", "lead"),
    [
        (["latest", "1", "1.4", "1.4.2"], "1.4.2"),
        (["latest"], "latest"),
        (["latest", "stable"], "stable"),
        (["main", "sha-8c1f20e"], "sha-8c1f20e"),
        (["1.4.2-alpine", "1.4.2"], "1.4.2"),
        (["v2.0.0", "latest", "edge"], "v2.0.0"),
        (["3.13-slim", "3.13.1-slim", "3-slim"], "3.13.1-slim"),
        (["main", f"sha256-{'a' * 64}.sig"], "main"),
    ],
)
def test_the_alias_that_says_most_leads(tags: list[str], lead: str) -> None:
    assert lead_of(tags) == lead
    assert lead_of(reversed(tags)) == lead


@pytest.mark.parametrize(
    ("lost", "had", "asks"),
    [
        (Holdings(tags=20), Holdings(tags=20), False),  # not more than 20
        (Holdings(tags=21), Holdings(tags=105), False),  # not more than a fifth
        (Holdings(tags=21), Holdings(tags=104), True),
        (Holdings(repositories=30), Holdings(repositories=100, tags=9000), True),
        (Holdings(repositories=20, tags=500), Holdings(repositories=100, tags=9000), False),
    ],
)
def test_a_scan_asks_before_it_loses_a_fifth_and_more_than_twenty(lost: Holdings, had: Holdings, asks: bool) -> None:
    assert must_ask(lost, had, allowed=Holdings()) is asks


def test_a_yes_allows_what_was_asked_for_and_not_more() -> None:
    had, asked = Holdings(tags=1000), Holdings(tags=400)

    assert not must_ask(asked, had, allowed=asked)
    assert must_ask(Holdings(tags=401), had, allowed=asked)


def test_scans_rest_three_times_as_long_as_they_work() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)

    assert next_scan_at(noon, timedelta(seconds=10)) == noon + timedelta(minutes=15)
    assert next_scan_at(noon, timedelta(hours=1)) == noon + timedelta(hours=4)


def test_a_namespace_stands_together() -> None:
    assert sorted(["a-b", "a/b", "a", "a.b"], key=name_key) == ["a", "a/b", "a-b", "a.b"]


@pytest.mark.parametrize(
    ("last_event", "changes", "minutes"),
    [(None, 0, 15), (timedelta(minutes=5), 0, 60), (timedelta(minutes=5), 3, 15), (timedelta(hours=25), 0, 15)],
    ids=["none", "flowing", "with-changes-that-none-told", "silent"],
)
def test_scans_are_seldom_while_events_flow(last_event: timedelta | None, changes: int, minutes: int) -> None:
    now = datetime(2026, 5, 6, 12, tzinfo=UTC)
    told = now - last_event if last_event else None
    assert scan_every(told, changes, now) == timedelta(minutes=minutes)
