from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import watching
from catalog.models import Repository, WatchedRepository
from catalog.watching import Reading, unwatch, watch, watched
from registries.models import Registry
from tests.web import furniture as make


@pytest.fixture
def where(db: None) -> Registry:
    return make.registry("closed")


def names(where: Registry) -> list[str]:
    return [row.watched.name for row in watched(where)]


def test_names_are_watched_once(where: Registry) -> None:
    first = watch(where, ["team/app", " team/tool ", "", "team/app"])
    again = watch(where, ["team/tool", "other"])

    assert (first.added, first.already, first.refused) == (["team/app", "team/tool"], [], {})
    assert (again.added, again.already) == (["other"], ["team/tool"])
    assert names(where) == ["other", "team/app", "team/tool"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Team/App", "no capital letters"),
        ("https://registry.example.org/team/app", "no address before it"),
        ("team/app:1.0", "no tag or digest after it"),
        ("registry.example.org:5000/team/app", "no address before it"),
        ("../../etc/passwd", "no name of a repository"),
        ("a" * 256, "no name of a repository"),
        ("team/äpp", "no name of a repository"),
        ("<script>", "no name of a repository"),
    ],
)
def test_what_is_no_name_is_refused_with_a_sentence(where: Registry, name: str, why: str) -> None:
    found = watch(where, [name, "good"])

    assert found.added == ["good"]
    assert why in found.refused[name[:100]]
    assert names(where) == ["good"]


def test_a_refused_name_can_be_printed(where: Registry) -> None:
    assert list(watch(where, ["a\x1b[31m\u202eb"]).refused) == ["a[31mb"]


def test_no_more_are_watched_than_a_scan_can_bear(where: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST", 3)
    watch(where, ["a", "b"])

    found = watch(where, ["c", "d", "a"])

    assert (found.added, found.already) == (["c"], ["a"])
    assert found.refused == {"d": "No more than 3 can be watched."}
    assert watch(make.registry("other"), ["d"]).added == ["d"]


def test_one_that_was_learnt_and_is_then_named_is_a_persons(where: Registry) -> None:
    WatchedRepository.objects.create(registry=where, name="team/app", learnt=True)
    WatchedRepository.objects.create(registry=where, name="team/tool", learnt=True)

    assert watch(where, ["team/app"]).already == ["team/app"]

    assert {row.watched.name: row.watched.learnt for row in watched(where)} == {"team/app": False, "team/tool": True}


def test_what_is_watched_no_more_stays_in_the_catalog(where: Registry) -> None:
    watch(where, ["a", "b", "c"])
    watch(make.registry("other"), ["a"])
    make.repository(where, "a")

    assert unwatch(where, ["a", "b", "b", "never", "../x"]) == 2

    assert names(where) == ["c"]
    assert Repository.objects.filter(registry=where, name="a").exists()
    assert WatchedRepository.objects.filter(name="a").exists()


def test_each_says_what_the_last_scan_had_to_say_of_it(where: Registry) -> None:
    watch(where, ["read", "empty", "failed", "new", "unknown", "left"])
    make.scan(where, started_at=timezone.now() + timedelta(seconds=1), is_of_watched=True)
    make.repository(where, "read")
    make.repository(where, "empty", state=Repository.State.EMPTY)
    make.repository(where, "failed", state=Repository.State.FAILED, problem="refused with 500")
    make.repository(where, "new", state=Repository.State.NEW)
    make.repository(where, "left", gone_at=timezone.now())
    make.repository(make.registry("other"), "unknown")

    found = {row.watched.name: row for row in watched(where)}

    assert {name: row.reading for name, row in found.items()} == {
        "read": Reading.READ,
        "empty": Reading.EMPTY,
        "failed": Reading.FAILED,
        "new": Reading.UNREAD,
        "unknown": Reading.MISSING,
        "left": Reading.MISSING,
    }
    assert found["failed"].problem == "refused with 500"
    assert found["read"].repository is not None


def test_one_that_no_scan_has_tried_is_not_called_missing(where: Registry) -> None:
    make.scan(where, started_at=timezone.now() + timedelta(hours=1))  # it read the catalog, and no list of names
    make.scan(where, started_at=timezone.now() - timedelta(hours=1), is_of_watched=True)
    watch(where, ["later"])

    assert [row.reading for row in watched(where)] == [Reading.UNREAD]


def test_many_are_named_and_told_in_few_queries(
    where: Registry, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    many = [f"team/app-{number:04}" for number in range(2_000)]
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        watch(where, many)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert len(watched(where)) == 2_000
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        assert unwatch(where, many) == 2_000
