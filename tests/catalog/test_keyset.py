from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Repository
from catalog.models.repositories import LONG_AGO
from catalog.reads.keyset import CAP, Column, Order, is_token, paged
from registries.models import Registry
from tests.web import furniture as make

COLUMNS = {
    "changed": Column("changed_at", datetime, largest_first=True),
    "name": Column("name_key", bytes),
    "tags": Column("tag_count", int, largest_first=True),
}
OUT_OF_TIME = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def rows(db: None) -> Registry:
    """23 repositories with many ties, and a few that never changed."""
    where = make.registry("local")
    for number in range(23):
        changed = LONG_AGO if number % 5 == 0 else START + timedelta(days=number % 4)
        make.repository(where, f"team/app-{number:02}", tag_count=number % 3, changed_at=changed)
    return where


def walk(order: Order, size: int = 4) -> tuple[list[list[int]], list[list[int]]]:
    """All pages forward, and the same pages back again, as ids."""
    forward, back, token = [], [], None
    while True:
        page = paged(Repository.objects.all(), order, token, size=size)
        forward.append([row.pk for row in page.rows])
        if page.next is None:
            break
        token = page.next
    back.append(forward[-1])
    while page.previous:
        page = paged(Repository.objects.all(), order, page.previous, size=size)
        back.append([row.pk for row in page.rows])
    return forward, back


@pytest.mark.parametrize("sort", ["changed", "-changed", "name", "-name", "tags", "-tags"])
def test_the_pages_are_the_list_forward_and_back(rows: Registry, sort: str) -> None:
    order = Order.parse(sort, COLUMNS)
    forward, back = walk(order)
    every = [pk for page in forward for pk in page]
    assert len(every) == len(set(every)) == 23
    assert [len(page) for page in forward] == [4, 4, 4, 4, 4, 3]
    assert back == forward[::-1]
    values = [getattr(Repository.objects.get(pk=pk), order.column.field) for pk in every]
    assert values == sorted(values, reverse=order.descending)


def test_rows_that_come_meanwhile_neither_repeat_nor_hide_another(rows: Registry) -> None:
    order = Order.parse("name", COLUMNS)
    first = paged(Repository.objects.all(), order, None, size=5)
    make.repository(rows, "a/new")
    make.repository(rows, "zoo/new")
    second = paged(Repository.objects.all(), order, first.next, size=5)
    assert [row.name for row in second.rows] == [f"team/app-{number:02}" for number in range(5, 10)]


def test_going_back_to_the_beginning_shows_all_of_page_one(rows: Registry) -> None:
    order = Order.parse("name", COLUMNS)
    second = paged(Repository.objects.all(), order, paged(Repository.objects.all(), order, None, size=5).next, size=5)
    Repository.objects.filter(name__in=["team/app-00", "team/app-01"]).delete()
    first = paged(Repository.objects.all(), order, second.previous, size=5)
    assert [row.name for row in first.rows] == [f"team/app-{number:02}" for number in range(2, 7)]
    assert first.previous is None


def test_a_last_page_that_is_full_has_no_page_after_it(rows: Registry) -> None:
    page = paged(Repository.objects.all(), Order.parse("name", COLUMNS), None, size=23)
    assert page.next is None
    assert page.is_whole
    assert (page.count, page.count_is_capped) == (23, False)


def test_a_count_stops_where_nobody_counts_on(rows: Registry) -> None:
    Repository.objects.bulk_create(
        Repository(registry=rows, name=f"bulk/{number}", name_key=str(number).encode()) for number in range(CAP)
    )
    page = paged(Repository.objects.all(), Order.parse("name", COLUMNS), None)
    assert (page.count, page.count_is_capped) == (CAP, True)


def _bent(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "=",
        "AAAA",
        "é",
        "\x00",
        "A" * 5000,
        _bent(),
        _bent("name", 0, "AAAA"),
        _bent("tags", 0, 3, 3),
        _bent("name", 2, "AAAA", 3),
        _bent("name", 0, "not base64!", 3),
        _bent("name", 0, None, 3),
        _bent("name", 0, 3, 3),
        _bent("name", 0, "AAAA", -1),
        _bent("name", 0, "AAAA", 2**63),
        _bent("name", 0, "AAAA", 1e9),
        _bent("name", 0, "AAAA", *[True]),
        _bent("name", 0, "AAAA", "1 OR 1=1"),
        _bent("name", 0, {"$ne": 1}, 1),
        base64.urlsafe_b64encode(b"[" * 1500).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_bent_token_is_page_one(rows: Registry, token: str) -> None:
    page = paged(Repository.objects.all(), Order.parse("name", COLUMNS), token, size=5)
    assert page.previous is None
    assert page.rows[0].name == "team/app-00"


def test_only_what_a_page_gave_in_this_order_is_its_token(rows: Registry) -> None:
    order = Order.parse("name", COLUMNS)
    token = paged(Repository.objects.all(), order, None, size=5).next or ""
    assert is_token(token, order)
    assert not is_token(token, Order.parse("-name", COLUMNS))
    assert not is_token(token[:-2], order)
    assert not is_token("", order)


def test_who_follows_next_until_there_is_none_never_begins_anew(rows: Registry) -> None:
    order = Order.parse("name", COLUMNS)
    token = paged(Repository.objects.all(), order, None, size=20).next
    Repository.objects.filter(name__gte="team/app-20").delete()
    end = paged(Repository.objects.all(), order, token, size=20, begins_anew=False)
    assert (end.rows, end.next, end.previous) == ([], None, None)
    assert len(paged(Repository.objects.all(), order, token, size=20).rows) == 20


@pytest.mark.parametrize("value", ["2026-99-99", "2026-01-01", "yesterday", 5, "", ["x"], *OUT_OF_TIME])
def test_a_bent_moment_is_page_one(rows: Registry, value: object) -> None:
    page = paged(Repository.objects.all(), Order.parse("changed", COLUMNS), _bent("changed", 0, value, 3), size=5)
    assert page.previous is None


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=30)  # surrogates and NUL among them
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.sampled_from(["changed", "name", "tags", "AAAA", *OUT_OF_TIME]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=8,
)
parts = st.tuples(st.sampled_from(sorted(COLUMNS)) | anything, st.sampled_from([0, 1]) | anything, anything, anything)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=parts | anything, sort=st.sampled_from(sorted(COLUMNS)))
def test_no_token_is_a_fault(rows: Registry, parts: object, sort: str) -> None:
    token = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    paged(Repository.objects.all(), Order.parse(sort, COLUMNS), token, size=5)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_no_text_is_a_fault(rows: Registry, token: str) -> None:
    paged(Repository.objects.all(), Order.parse("name", COLUMNS), token, size=5)


@pytest.mark.parametrize("text", [None, "", "nonsense", "-", "--name", "name;drop"])
def test_an_unknown_order_is_the_first(text: str | None) -> None:
    order = Order.parse(text, COLUMNS)
    assert (order.name, order.descending, order.text, order.turned) == ("changed", True, "changed", "-changed")


def test_an_order_turns_round() -> None:
    order = Order.parse("-changed", COLUMNS)
    assert (order.descending, order.text, order.turned) == (False, "-changed", "changed")


def test_a_page_costs_two_queries(rows: Registry, django_assert_num_queries: object) -> None:
    order = Order.parse("tags", COLUMNS)
    with django_assert_num_queries(2):  # type: ignore[operator]
        page = paged(Repository.objects.all(), order, None, size=5)
    with django_assert_num_queries(2):  # type: ignore[operator]
        paged(Repository.objects.all(), order, page.next, size=5)
