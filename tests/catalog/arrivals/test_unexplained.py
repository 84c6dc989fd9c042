"""Changes of which nobody told: each is said once, however many there are and however often one looks."""

from __future__ import annotations

import tracemalloc
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Entry, EventStream
from catalog.arrivals import unexplained
from catalog.models import ChangeLook, Repository, TagSpan
from registries.models import Registry
from tests.web import furniture as make

pytestmark = pytest.mark.django_db(databases="__all__")


def changed(where: Registry, name: str, number: int, at: datetime) -> None:
    """So many tags came to the repository then."""
    row = Repository.objects.filter(registry=where, name=name).first() or make.repository(where, name)
    presence = make.put(row, make.image(settings={"Env": [str(at)]}), *(f"{at:%H%M%S}-{one}" for one in range(number)))
    TagSpan.objects.bulk_create(
        TagSpan(tag=tag, repository=row, manifest=presence.manifest, began=at) for tag in presence.tags.all()
    )


def looked_at(where: Registry) -> datetime:
    began = timezone.now() - timedelta(hours=1)
    EventStream.objects.create(registry_id=where.pk, first_at=began, last_at=began, handled_at=began)
    ChangeLook.objects.create(registry=where, begun_at=began, looked_until=began)
    return began


def test_many_changes_that_are_seen_bit_by_bit_are_counted_once() -> None:
    local = make.registry()
    began = looked_at(local)
    changed(local, "team/app", 150, began + timedelta(seconds=10))
    unexplained.look(began + timedelta(seconds=20) + unexplained.GRACE)
    changed(local, "team/app", 120, began + timedelta(seconds=30))  # the scan goes on
    for second in (40, 55, 70):
        unexplained.look(began + timedelta(seconds=second) + unexplained.GRACE)
    assert sorted(Entry.objects.values_list("count", flat=True)) == [120, 150]
    assert EventStream.objects.get().unexplained == 270


def test_however_many_changes_there_are_few_are_in_the_memory() -> None:
    local = make.registry()
    began = looked_at(local)
    changed(local, "team/app", 3_000, began + timedelta(seconds=10))
    tracemalloc.start()
    unexplained.look(began + timedelta(seconds=20) + unexplained.GRACE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert Entry.objects.get().count == 3_000
    assert peak < 4_000_000


def test_many_that_came_and_went_are_said_twice() -> None:
    local = make.registry()
    began = looked_at(local)
    changed(local, "team/app", 150, began + timedelta(seconds=10))
    unexplained.look(began + timedelta(seconds=20) + unexplained.GRACE)
    TagSpan.objects.update(ended=began + timedelta(seconds=30))
    unexplained.look(began + timedelta(seconds=40) + unexplained.GRACE)
    assert list(Entry.objects.values_list("count", flat=True)) == [150, 150]


def test_what_was_said_of_many_is_not_looked_at_one_by_one_again() -> None:
    local = make.registry()
    began = looked_at(local)
    changed(local, "team/app", 150, began + timedelta(seconds=10))
    unexplained.look(began + timedelta(seconds=20) + unexplained.GRACE)
    with CaptureQueriesContext(connection) as asked:
        unexplained.look(began + timedelta(seconds=40) + unexplained.GRACE)
    assert len(asked) < 20
