"""What lies at a level of a registry adds up, however much of it is folded."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import StorageDay
from catalog.reads.growth import growth_of
from catalog.reads.storage import disk_of, repositories_of
from catalog.reads.storage_levels import MOST, level_at
from registries.models import Registry
from tests.catalog.sizes import forget_sizes
from tests.web import furniture as make


@pytest.fixture
def where(db: None) -> Registry:
    return make.registry("local")


def test_namespaces_and_repositories_of_a_level_stand_side_by_side(
    where: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make.namespace(where, "a", unique=50, stored=70, pushed=100, repositories=3)
    make.namespace(where, "a/b", unique=20)
    make.namespace(where, "", unique=9)  # the repositories without a namespace, which stand there themselves
    make.repository(where, "alone", unique=60, size=80, pushed=90)
    make.repository(where, "a/app", unique=10, size=40, pushed=40)
    make.repository(where, "a/b/deep", unique=20, size=20, pushed=20)
    make.repository(where, "gone", unique=30, size=30, gone_at=timezone.now())
    make.namespace(make.registry("other"), "elsewhere", unique=1_000)

    with django_assert_num_queries(2):
        top = level_at(where, "")
    assert [(piece.path, piece.is_namespace) for piece in top.pieces] == [("alone", False), ("a", True)]
    assert [piece.unique for piece in top.pieces] == [60, 50]
    assert [(piece.shared, piece.saved, piece.repositories) for piece in top.pieces] == [(20, 10, 1), (20, 30, 3)]
    assert (top.others, top.unique) == (0, 110)
    inside = level_at(where, "a")
    assert [(piece.path, piece.unique) for piece in inside.pieces] == [("a/b", 20), ("a/app", 10)]
    assert level_at(where, "nothing").pieces == ()


def test_the_small_ones_are_folded_and_counted(where: Registry) -> None:
    for number in range(MOST + 6):
        make.namespace(where, f"n{number}", unique=100 + number)
        make.repository(where, f"r{number}", unique=number, size=number)
    level = level_at(where, "")
    assert len(level.pieces) == MOST
    assert level.others == 2 * (MOST + 6) - MOST
    assert level.unique == sum(100 + 2 * number for number in range(MOST + 6))
    assert min(piece.unique for piece in level.pieces) == 106


def test_a_repository_that_lost_bytes_since_has_none_that_it_has_not(where: Registry) -> None:
    make.repository(where, "app", unique=50, size=20, pushed=20)
    [piece] = level_at(where, "").pieces
    assert (piece.unique, piece.shared, piece.saved) == (20, 0, 0)


def test_repositories_of_a_namespace_are_those_below_it(where: Registry) -> None:
    for name in ("a", "a/one", "a/b/two", "a-b/three"):
        make.repository(where, name)
    make.repository(where, "a/gone", gone_at=timezone.now())
    make.repository(make.registry("other"), "a/other")
    assert set(repositories_of(where, "a").values_list("name", flat=True)) == {"a/one", "a/b/two"}
    for nearly_all in (False, True):
        assert repositories_of(where, "", nearly_all=nearly_all).count() == 4


def day(where: Registry, ago: int, stored: int) -> None:
    when = timezone.now().astimezone(UTC).date() - timedelta(days=ago)
    sums = dict.fromkeys(("repositories", "tags", "images", "pushed", "shared"), 0)
    StorageDay.objects.create(registry=where, day=when, stored=stored, **sums)


def test_growth_is_told_of_several_registries_together(where: Registry) -> None:
    other = make.registry("other")
    assert not growth_of([where]).is_drawn
    for ago, stored in ((999, 1), (9, 10), (5, 30), (0, 20)):
        day(where, ago, stored)
    day(other, 5, 100)
    alone, both = growth_of([where]), growth_of([where, other])
    assert [stored for _, stored in alone.days] == [10, 30, 20]
    assert (alone.change, alone.most, alone.is_drawn) == (10, 30, True)
    assert [stored for _, stored in both.days] == [10, 130, 120]
    assert growth_of([other, make.registry("third")]).change == 0


def test_what_lies_on_the_disk_is_told_by_the_last_scan_that_looked(where: Registry) -> None:
    assert disk_of(where) is None
    make.scan(where, disk_bytes=100, disk_blobs=3, stored=60)
    make.scan(where, disk_bytes=90, disk_blobs=2, stored=70)
    make.scan(where, stored=80)
    disk = disk_of(where)
    assert disk is not None
    assert (disk.scan.disk_bytes, disk.beside) == (90, 20)


def test_lists_are_read_in_the_order_of_their_indexes(where: Registry) -> None:
    """However many repositories there are, a page reads as many rows as it shows."""
    if connection.vendor != "sqlite":
        pytest.skip("of so few rows others read all")
    forget_sizes()
    make.repository(where, "a/app", unique=10, size=40, pushed=40)
    plan = repositories_of(where, "", nearly_all=True).order_by("-unique", "-pk").explain()
    assert "storage_by_unique" in plan
    assert "TEMP B-TREE" not in plan
    with CaptureQueriesContext(connection) as asked:
        level_at(where, "a")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked.captured_queries[1]['sql']}")
        assert "storage_of_a_level" in str(cursor.fetchall())
