"""Old pulls become one entry a day, tag and puller."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Sum

from audit import chain, folding
from audit.models import Entry, Unsealed
from audit.verification import verify
from tests.audit.furniture import entry

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
BEFORE = folding.days_before(NOW, 30)


def pull(at: datetime, **fields: Any) -> Entry:
    same: dict[str, Any] = {"tag": "v1", "since": None, "plan_id": None, "why": "", "detail": "", "from_repository": ""}
    return entry(act=Entry.Act.PULL, at=at, **{**same, **fields})


def pulls() -> list[Entry]:
    return list(Entry.objects.filter(act=Entry.Act.PULL).order_by("id"))


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def test_days_are_whole_and_of_utc() -> None:
    assert datetime(2026, 10, 28, tzinfo=UTC) == BEFORE


def test_those_of_a_day_become_one_in_the_place_of_the_last() -> None:
    first = pull(at(5, 1), count=2)
    other = entry()
    last = pull(at(5, 23), address="192.0.2.2")
    later = entry()

    assert folding.fold(BEFORE) == (2, 1)

    (one,) = pulls()
    assert list(Entry.objects.newest_first()) == [later, one, other]
    assert one.pk == last.pk
    assert (one.count, one.since, one.at) == (3, first.at, last.at)
    assert (one.actor, one.actor_id, one.source, one.outcome) == ("ana", 7, "event", "done")
    assert (one.registry, one.registry_id, one.repository, one.tag) == ("test", 3, "team/app", "v1")
    assert (one.digest_before, one.digest_after) == (first.digest_before, first.digest_after)
    # What all agree on stays; where each says something else, nothing does.
    assert (one.user_agent, one.address, one.event_id, one.claimed_at) == ("docker/27", "", "", None)


@pytest.mark.parametrize(
    "fields",
    [
        {"registry_id": 4},
        {"repository": "team/other"},
        {"tag": "v2"},
        {"digest_after": "sha256:" + "c" * 64},
        {"actor": "ben"},
        {"actor": ""},
        {"at": at(6)},
        {"outcome": Entry.Outcome.FAILED},
    ],
)
def test_what_differs_stays_apart(fields: dict[str, Any]) -> None:
    pull(at(5))
    pull(**{"at": at(5, 23), **fields})

    assert folding.fold(BEFORE) == (2, 2)
    assert [row.count for row in pulls()] == [1, 1]


def test_one_alone_keeps_what_it_says() -> None:
    row = pull(at(5))

    folding.fold(BEFORE)

    (one,) = pulls()
    assert (one.pk, one.at, one.since) == (row.pk, row.at, row.at)
    assert (one.address, one.event_id, one.claimed_at) == (row.address, row.event_id, row.claimed_at)


def test_young_ones_and_other_acts_stay() -> None:
    young, other = pull(BEFORE), entry(at=at(1))

    assert folding.fold(BEFORE) == (0, 0)
    assert list(Entry.objects.order_by("id")) == [young, other]


def test_a_day_of_many_takes_several_batches() -> None:
    count = folding.BATCH * 2 + 10
    for n in range(count):
        pull(at(5) + timedelta(minutes=n), tag=f"v{n % 3}")
    steps = []
    while (step := folding.fold(BEFORE)).were:
        steps.append(step)
        assert Entry.objects.aggregate(all=Sum("count"))["all"] == count

    assert steps == [(500, 3), (500, 0), (10, 0)]
    assert [row.count for row in pulls()] == [336, 337, 337]
    assert {row.since for row in pulls()} == {at(5) + timedelta(minutes=n) for n in range(3)}


def test_what_comes_late_is_added_to_what_is_there() -> None:
    pull(at(5, 2))
    pull(at(5, 3))
    folding.fold(BEFORE)
    late = pull(at(5, 1))

    assert folding.fold(BEFORE) == (1, 0)
    (one,) = pulls()
    assert (one.pk, one.count, one.since, one.at) == (late.pk, 3, at(5, 1), at(5, 3))


def test_the_chain_knows_nothing_of_it() -> None:
    pull(at(5))
    entry()
    pull(at(5, 2))
    chain.seal(10)

    folding.fold(BEFORE)

    assert not Unsealed.objects.exists()
    assert verify({}).entries == 1
    assert verify({}).broken is None
