from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import Presence, Repository, Tag, TagSpan
from catalog.reads.scan_changes import Change
from catalog.reads.timeline import SIZE, Timeline, timeline_of
from registries.models import Registry
from tests.web import furniture as make

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def app() -> Repository:
    return make.repository(Registry.objects.create(name="local", url="http://registry:5000"), "team/app")


def span(tag: str, presence: Presence, began: int, ended: int | None = None) -> None:
    """Minutes after the first look."""
    row = Tag.objects.get(name=tag)
    moments = [None if minutes is None else START + timedelta(minutes=minutes) for minutes in (began, ended)]
    TagSpan.objects.create(
        tag=row, repository=row.repository, manifest=presence.manifest, began=moments[0] or START, ended=moments[1]
    )


def said(timeline: Timeline) -> list[tuple[str, str]]:
    return [(event.span.tag.name, event.change.value) for event in timeline.events]


def test_a_time_line_tells_what_came_moved_and_went(app: Repository) -> None:
    one, two = make.put(app, make.image([("a", 1)]), "stays", "moves"), make.put(app, make.image([("b", 1)]), "comes")
    span("stays", one, 0)
    span("moves", one, 0, 10)
    span("moves", two, 10)
    span("comes", two, 10, 20)
    timeline = timeline_of(app, None)

    assert said(timeline) == [("comes", "gone"), ("comes", "new"), ("moves", "moved")]
    assert timeline.events[-1].moved_from == one.manifest.digest
    assert timeline.events[-1].span.manifest_id == two.manifest_id
    assert (timeline.next, timeline.found_at) == (None, START)


def test_a_time_line_is_paged_without_a_gap_though_all_happened_at_once(app: Repository) -> None:
    names = [f"t{number:03}" for number in range(2 * SIZE)]
    presence = make.put(app, make.image(), "first", *names)
    span("first", presence, 0)
    for number, name in enumerate(names):
        span(name, presence, 10, 20 if number % 2 else None)
    seen, token = [], None
    while True:
        timeline = timeline_of(app, token)
        seen += said(timeline)
        token = timeline.next
        assert (timeline.found_at is None) == (token is not None)
        if token is None:
            break

    assert len(seen) == len(set(seen)) == 3 * SIZE
    assert [change for _, change in seen] == [Change.GONE.value] * SIZE + [Change.NEW.value] * 2 * SIZE


@pytest.mark.parametrize("token", ["", "nonsense", "W10", "WzEsMiwzXQ", "ÿ", "x" * 500])
def test_a_bent_token_is_the_first_page(app: Repository, token: str) -> None:
    presence = make.put(app, make.image(), "one", "two")
    span("one", presence, 0)
    span("two", presence, 5)

    assert said(timeline_of(app, token)) == [("two", "new")]


def test_an_empty_repository_has_an_empty_line(app: Repository) -> None:
    assert timeline_of(app, None) == Timeline([], None, None)
