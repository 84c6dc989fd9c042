from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.services import next_scan
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from web.registry_rows import registry_rows


def furnish(numbers: range) -> None:
    for number in numbers:
        where = make.registry(f"r{number}", retired_at=timezone.now() if number % 4 == 3 else None)
        if number % 2:
            make.scan(where)


def test_twelve_registries_cost_as_many_queries_as_two(
    client: Client, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    furnish(range(2))
    with django_assert_num_queries(6):
        client.get("/registries")
    furnish(range(2, 12))
    with django_assert_num_queries(6):
        client.get("/registries")


@pytest.mark.parametrize(
    ("began", "took", "complete"),
    [(0, 1, True), (5, 1, True), (5, 60, True), (5, 1, False), (30, None, False), (-10, 1, True), (600, 90, True)],
)
@pytest.mark.parametrize("before", [True, False])
def test_the_page_says_when_the_next_scan_is_due(
    local: Registry, began: int, took: int | None, *, complete: bool, before: bool
) -> None:
    def scan(began: datetime, minutes: int | None, *, complete: bool) -> None:
        ended = began + timedelta(minutes=minutes) if minutes is not None else None
        make.scan(local, started_at=began, finished_at=ended, complete=complete)

    if before:
        scan(timezone.now() - timedelta(hours=30), 40, complete=True)
    scan(timezone.now() - timedelta(minutes=began), took, complete=complete)

    row = registry_rows()[0]

    assert row.next_scan is not None
    assert abs(row.next_scan - next_scan(local)) < timedelta(seconds=1)


def test_one_that_was_never_scanned_is_due_and_a_retired_one_never(local: Registry) -> None:
    make.registry("old", retired_at=timezone.now())
    active, retired = sorted(registry_rows(), key=lambda row: row.registry.name)

    assert (active.registry, active.scan, active.due) == (local, None, "now")
    assert abs((active.next_scan or timezone.now()) - next_scan(local)) < timedelta(seconds=1)
    assert (retired.next_scan, retired.due) == (None, "")


def test_the_last_scan_is_the_last_that_came_to_its_end(client: Client, local: Registry) -> None:
    make.scan(local, finished_at=timezone.now() - timedelta(hours=3))
    make.scan(local, complete=False)
    make.scan(make.registry("other"), finished_at=timezone.now())

    words = Page(client.get("/registries").content.decode()).words

    assert "Last scan 3 h ago" in words
