from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Presence, Repository, Scan, Tag, TagSpan
from catalog.planning import learn_sizes
from catalog.reads import scan_changes
from catalog.reads.keyset import SIZE
from catalog.reads.problems import MOST, problems_of
from catalog.reads.scan_changes import Change, Counted, changes, count_changes, is_first_reading
from registries.models import Registry
from tests.catalog.scanning import last_scan, scan
from tests.catalog.sizes import forget_sizes
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.web import furniture as make

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(scan: Scan, change: Change) -> list[str]:
    return [span.tag.name for span in changes(scan, change).rows]


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.django_db(transaction=True)
def test_a_scan_tells_what_came_moved_went_and_returned(row: Registry, own_registry: RealRegistry) -> None:
    push = Pusher(own_registry.url, "team/app")
    push.image("stays", layers=[b"stays"])
    first = push.image("moves", layers=[b"one"])
    push.image("goes", "returns", layers=[b"goes"])
    scan(row)
    one = last_scan()
    second = push.image("moves", layers=[b"two"])
    push.image("comes", layers=[b"comes"])
    for name in ("goes", "returns"):
        shutil.rmtree(own_registry.storage / f"docker/registry/v2/repositories/team/app/_manifests/tags/{name}")
    scan(row)
    two = last_scan()
    push.image("returns", layers=[b"goes"])
    scan(row)
    three = last_scan()

    assert [told(one, change) for change in Change] == [["goes", "moves", "returns", "stays"], [], []]
    assert [told(two, change) for change in Change] == [["comes"], ["moves"], ["goes", "returns"]]
    assert [told(three, change) for change in Change] == [["returns"], [], []]
    for found in (one, two, three):
        counted = [found.new_tags, found.moved_tags, found.gone_tags]
        assert counted == [changes(found, change).count for change in Change]
    moved = changes(two, Change.MOVED).rows[0]
    assert (getattr(moved, "moved_from", ""), moved.manifest.digest) == (first, second)
    assert [getattr(span, "is_back", None) for span in changes(three, Change.NEW).rows] == [True]
    assert [getattr(span, "is_back", None) for span in changes(two, Change.NEW).rows] == [False]
    assert [is_first_reading(found) for found in (one, two, three)] == [True, False, False]


@pytest.fixture
def app(db: None) -> Repository:
    return make.repository(make.registry("local"), "team/app")


def span(app: Repository, name: str, began: datetime, ended: datetime | None = None, image: str = "one") -> TagSpan:
    built = make.image([(image, 5)])
    presence = Presence.objects.filter(repository=app, manifest=built.row).first() or make.put(app, built)
    tag, _ = Tag.objects.get_or_create(
        repository=app, name=name, defaults={"key": name.encode(), "presence": presence, "first_seen": began}
    )
    return TagSpan.objects.create(tag=tag, repository=tag.repository, manifest=built.row, began=began, ended=ended)


def test_the_changes_of_another_registry_or_time_are_not_its_own(app: Repository) -> None:
    mine = make.scan(app.registry, started_at=at(0), finished_at=at(5))
    span(app, "before", at(-1))
    span(app, "at-the-beginning", at(0))
    span(app, "at-the-end", at(5))
    span(app, "after", at(6))
    span(make.repository(make.registry("other"), "team/app"), "elsewhere", at(2))

    assert told(mine, Change.NEW) == ["at-the-beginning", "at-the-end"]


@pytest.mark.parametrize("finished", [at(0), None])
def test_one_that_was_killed_ends_before_the_next_begins(app: Repository, finished: datetime | None) -> None:
    killed = make.scan(app.registry, started_at=at(0), finished_at=finished, complete=False)
    span(app, "early", at(3))
    assert told(killed, Change.NEW) == ["early"]

    make.scan(app.registry, started_at=at(4), finished_at=at(8))
    span(app, "late", at(6))

    assert told(killed, Change.NEW) == ["early"]


def test_a_tag_that_was_gone_for_a_while_did_not_move(app: Repository) -> None:
    span(app, "1.0", at(-20), at(-10))
    span(app, "1.0", at(2), image="two")
    mine = make.scan(app.registry, started_at=at(0), finished_at=at(5))

    assert [told(mine, change) for change in Change] == [["1.0"], [], []]


def test_the_pages_go_on_where_the_last_one_ended(app: Repository) -> None:
    mine = make.scan(app.registry, started_at=at(0), finished_at=at(5))
    for number in range(SIZE + 20):
        span(app, f"tag-{number:02}", at(-9), at(number // 30 + 1))

    first = changes(mine, Change.GONE)
    second = changes(mine, Change.GONE, first.next)

    assert [len(first.rows), len(second.rows), first.count] == [SIZE, 20, SIZE + 20]
    assert [row.tag.name for row in first.rows + second.rows] == [f"tag-{number:02}" for number in range(SIZE + 20)]


def test_what_broke_off_is_counted_by_its_spans(app: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make.scan(app.registry, started_at=at(0), finished_at=at(5), new_tags=7, gone_tags=2)
    broken_off = make.scan(app.registry, started_at=at(10), finished_at=at(15), complete=False)
    for name in ("a", "b", "c"):
        span(app, name, at(11))

    assert count_changes(whole) == {Change.NEW: Counted(7), Change.MOVED: Counted(0), Change.GONE: Counted(2)}
    assert count_changes(broken_off)[Change.NEW] == Counted(3)
    monkeypatch.setattr(scan_changes, "CAP", 2)
    assert count_changes(broken_off)[Change.NEW] == Counted(2, is_capped=True)


def test_only_the_first_complete_reading_is_the_first(app: Repository) -> None:
    broken_off = make.scan(app.registry, complete=False, new_tags=3, tags=3)
    first = make.scan(app.registry, new_tags=3, tags=3)
    all_anew = make.scan(app.registry, new_tags=3, tags=3)
    of_nothing = make.scan(make.registry("empty"))

    assert [is_first_reading(s) for s in (broken_off, first, all_anew, of_nothing)] == [False, True, False, False]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="of so few rows PostgreSQL reads the table")
@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize(
    ("change", "moment"),
    [
        (Change.NEW, "began"),
        (Change.MOVED, "began"),
        (Change.GONE, "ended"),
    ],
)
def test_a_page_reads_the_spans_of_its_time_and_no_others(
    app: Repository, change: Change, moment: str, *, analysed: bool
) -> None:
    mine = make.scan(app.registry, started_at=at(0), finished_at=at(5))
    for number in range(120):
        span(app, f"tag-{number:03}", at(-number), at(number // 20 + 10))  # those of a batch end together
    (learn_sizes if analysed else forget_sizes)()
    with CaptureQueriesContext(connection) as queries:
        changes(mine, change)

    read = [query["sql"] for query in queries if "tagspan" in query["sql"]]
    counted, *shown = [explain(sql) for sql in read]
    assert f"{moment}>? AND {moment}<?" in counted, counted
    assert "spans_of_a_tag" in counted, counted
    assert len(shown) == (change is Change.NEW)  # of the others there is none
    assert all("SEARCH catalog_tagspan USING INTEGER PRIMARY KEY" in plan for plan in shown), shown


def explain(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return "\n".join(str(line) for line in cursor.fetchall())


def test_what_is_broken_now_is_told_by_kind(app: Repository) -> None:
    where = app.registry
    failed = make.repository(where, "a/failed", state=Repository.State.FAILED, problem="500")
    make.lose_tag(app, "lost", "404")
    make.put(app, make.image([("half", 9)]), "half", state=Presence.State.INCOMPLETE)
    make.put(app, make.image([("whole", 9)]), "whole")
    make.settle(app)
    gone = make.repository(where, "b/gone", problem_count=1, gone_at=START, state=Repository.State.FAILED)
    make.lose_tag(gone, "of-a-gone-one", "404")
    make.lose_tag(make.repository(make.registry("other"), problem_count=1), "elsewhere", "404")

    found = problems_of(where)

    assert found.repositories == [failed]
    assert [tag.name for tag in found.tags] == ["lost"]
    assert [image.lead_tag for image in found.images] == ["half"]
    assert not found.more


def test_of_many_broken_ones_the_first_are_told(app: Repository) -> None:
    for number in range(MOST + 5):
        make.lose_tag(app, f"lost-{number:02}", "404")
    make.settle(app)

    found = problems_of(app.registry)

    assert [tag.name for tag in found.tags] == [f"lost-{number:02}" for number in range(MOST)]
    assert found.more
