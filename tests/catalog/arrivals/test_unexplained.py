"""Changes of which nobody told: each is said once, however many there are and however often one looks."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Entry, EventStream
from catalog.arrivals import unexplained
from catalog.models import ChangeLook, Repository, TagSpan
from registries.models import Registry
from tests.catalog.sizes import forget_sizes
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


def test_what_it_asks_does_not_grow_with_the_changes() -> None:
    local = make.registry()
    began = looked_at(local)
    for number in range(1, 61):
        changed(local, f"team/app-{number}", 6, began + timedelta(seconds=number))
    with CaptureQueriesContext(connection) as asked:
        unexplained.look(timezone.now())
    assert Entry.objects.count() == EventStream.objects.get().unexplained == 360
    assert len(asked) < 60
    ChangeLook.objects.update(looked_until=began)  # as if it had died at its end
    with CaptureQueriesContext(connection) as asked:
        unexplained.look(timezone.now())
    assert len(asked) < 20
    assert EventStream.objects.get().unexplained == 360


def test_one_look_is_at_some_and_the_next_goes_on() -> None:
    local = make.registry()
    began = looked_at(local)
    for second in range(1, 6):
        changed(local, "team/app", 10, began + timedelta(seconds=second))
    counts = []
    for most in (25, 3, 3, 3):
        unexplained.look(timezone.now(), most)
        counts.append(Entry.objects.count())
    assert counts == [30, 40, 50, 50]
    TagSpan.objects.filter(began__lte=began + timedelta(seconds=2)).update(ended=timezone.now())
    TagSpan.objects.filter(ended=None).update(ended=timezone.now())
    for _ in range(2):
        unexplained.look(timezone.now() + timedelta(hours=1), 15)
        counts.append(EventStream.objects.get().unexplained)
    assert counts[-2:] == [70, 100]


@pytest.mark.parametrize("most", [1, unexplained.MOST])
def test_what_is_written_some_time_after_its_moment_is_seen(most: int) -> None:
    local = make.registry()
    began = looked_at(local)
    changed(local, "team/app", 2, began + timedelta(minutes=10))
    unexplained.look(began + timedelta(minutes=11) + unexplained.GRACE, most)
    changed(local, "team/app", 1, began + timedelta(minutes=7))
    for minute in (11, 15, 16):
        unexplained.look(began + timedelta(minutes=minute) + unexplained.GRACE, most)
    assert Entry.objects.count() == EventStream.objects.get().unexplained == 3


def test_what_another_look_records_meanwhile_is_counted_once() -> None:
    local = make.registry()
    began = looked_at(local)
    changed(local, "team/app", 150, began + timedelta(seconds=10))
    changed(local, "team/app", 120, began + timedelta(seconds=30))
    another = Meanwhile("SELECT", "catalog_manifest", lambda: unexplained.look(timezone.now()))
    with connection.execute_wrapper(another):
        unexplained.look(began + timedelta(seconds=20) + unexplained.GRACE)
    assert another.has_happened
    assert Entry.objects.get().count == EventStream.objects.get().unexplained == 270


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets only one write at a time")
@pytest.mark.django_db(transaction=True, databases="__all__")
def test_what_two_looks_record_at_once_is_counted_once() -> None:
    local = make.registry()
    began = looked_at(local)
    changed(local, "team/app", 20, began + timedelta(seconds=10))
    other = threading.Thread(target=look_apart)

    def begins() -> None:
        other.start()
        other.join(0.5)

    with connection.execute_wrapper(Meanwhile("INSERT", "audit_entry", begins)):
        unexplained.look(timezone.now())
    other.join()
    assert Entry.objects.count() == EventStream.objects.get().unexplained == 20


def test_it_finds_what_was_told_by_the_tag() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of so few rows others read all")
    forget_sizes()
    local = make.registry()
    changed(local, "team/app", 1, looked_at(local) + timedelta(seconds=1))
    with CaptureQueriesContext(connection) as asked:
        unexplained.look(timezone.now())
    (told,) = [query["sql"] for query in asked if '"told"' in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + told.replace("%", "%%"))
        plan = str(cursor.fetchall())
    assert "INDEX acts_on_a_tag (registry_id=? AND repository=? AND tag=?)" in plan


class Meanwhile:
    """Something that happens once, just before something is asked of a table."""

    def __init__(self, verb: str, table: str, happens: Callable[[], object]) -> None:
        self._verb, self._table, self._happens = verb, table, happens
        self.has_happened = False

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not self.has_happened and sql.startswith(self._verb) and self._table in sql:
            self.has_happened = True
            self._happens()
        return execute(sql, params, many, context)


def look_apart() -> None:
    try:
        unexplained.look(timezone.now())
    finally:
        connection.close()
