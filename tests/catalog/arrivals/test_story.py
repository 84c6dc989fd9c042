"""What happens at a real registry is told truthfully, and is in the catalog at once, without a scan."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from catalog.arrivals import counting, rereading, waiting
from catalog.models import Manifest, PullDay, PushDay, Scan, Tag, Unread
from tests.catalog.arrivals.station import Station, changed, hand_in, handle_all, handling
from tests.catalog.scanning import scan

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def test_a_push_is_in_the_catalog_and_has_an_entry(station: Station) -> None:
    digest = station.pusher().image("1.0")
    station.arrive()
    assert station.story() == [("push", "1.0")]
    entry = Entry.objects.get()
    assert (entry.actor, entry.address, entry.user_agent) == ("alice", "127.0.0.1", "test-client")
    assert (entry.source, entry.digest_before, entry.digest_after) == ("event", "", digest)
    assert entry.claimed_at is not None
    assert station.tags() == {"1.0": digest}
    presence = station.presence(digest)
    assert (presence.state, presence.pushed_by, presence.dated_by, presence.tag_count) == ("whole", "alice", "told", 1)
    manifest = Manifest.objects.get(digest=digest)
    assert (manifest.os, manifest.architecture, manifest.config_state) == ("linux", "amd64", "read")
    repository = station.repository()
    assert (repository.tag_count, repository.image_count, repository.newest_id) == (1, 1, presence.pk)
    assert not Scan.objects.exists()


def test_what_is_pushed_under_a_tag_again_moves_it(station: Station) -> None:
    push = station.pusher()
    first = push.image("1.0")
    station.arrive()
    push.image("1.0")
    second = push.image("1.0", seed="other")
    push.image("latest", seed="other")
    station.arrive()
    assert station.story() == [("push", "1.0"), ("push-again", "1.0"), ("move", "1.0"), ("retag", "latest")]
    moved = Entry.objects.get(act="move")
    assert (moved.digest_before, moved.digest_after) == (first, second)
    assert station.tags() == {"1.0": second, "latest": second}
    assert station.presence(first).gone_at is not None


def test_an_index_is_one_push_and_one_pull(station: Station) -> None:
    push = station.pusher()
    children = [push.image(), push.image(platform="linux/arm64")]
    index = push.index("1.0", children=children)
    station.arrive()
    assert station.story() == [("push", "1.0")]
    assert station.presence(index).state == "whole"
    station.ask("GET", "team/app/manifests/1.0")
    station.ask("GET", f"team/app/manifests/{children[0]}")
    station.ask("HEAD", "team/app/manifests/1.0")
    station.arrive()
    assert station.story() == [("push", "1.0"), ("pull", "1.0")]
    assert station.stream().looks >= 1


def test_deletes_from_outside(station: Station) -> None:
    push = station.pusher()
    kept, gone = push.image("keep"), push.image("1.0", "1", seed="gone")
    station.arrive()
    station.ask("DELETE", f"team/app/manifests/{gone}")
    station.arrive()
    deletes = Entry.objects.filter(act__startswith="delete").order_by("id")
    assert {(e.act, e.tag, e.digest_before) for e in deletes} == {
        ("delete-manifest", "", gone),
        ("delete-tag", "1.0", gone),
        ("delete-tag", "1", gone),
    }
    assert {e.actor for e in deletes} == {"alice"}
    assert station.tags() == {"keep": kept}
    assert station.repository().tag_count == 1
    assert station.presence(gone).gone_at is not None


def test_layers_mounted_are_one_entry(station: Station) -> None:
    source = station.pusher("team/base")
    blobs = [source.blob(content) for content in (b"one", b"two")]
    source.image("1")
    station.arrive()
    for blob in blobs:
        station.ask("POST", f"team/app/blobs/uploads/?mount={blob}&from=team/base")
    station.arrive()
    assert station.story() == [("push", "1")]
    waiting.end_due(timezone.now() + timedelta(minutes=1))
    mount = Entry.objects.get(act="mount")
    assert (mount.repository, mount.from_repository, mount.count) == ("team/app", "team/base", 2)
    assert (mount.actor, mount.digest_after) == ("alice", "")


def test_what_belongs_to_nothing_is_an_entry_of_its_own(station: Station) -> None:
    push = station.pusher()
    children = [push.image(), push.image(platform="linux/arm64")]
    index = push.index("1.0", children=children)
    alone = push.image(seed="alone")
    station.arrive()
    station.ask("GET", f"team/app/manifests/{children[0]}")
    station.ask("GET", f"team/app/manifests/{index}")
    station.ask("GET", f"team/app/manifests/{children[0]}", agent="another")
    station.arrive()
    assert station.story() == [("push", "1.0"), ("pull", "")]
    waiting.end_due(timezone.now() + timedelta(minutes=1))
    late = {(entry.act, entry.digest_after, entry.user_agent) for entry in Entry.objects.order_by("id")[2:]}
    assert late == {("push", alone, "test-client"), ("pull", children[0], "another")}
    counting.fold()
    assert (station.presence(index).pulls, station.presence(children[0]).pulls) == (1, 1)


def test_pulls_are_counted_by_the_day_and_on_the_image(station: Station) -> None:
    digest = station.pusher().image("1.0", "1")
    station.arrive()
    for path in ("1.0", "1.0", "1", digest):
        station.ask("GET", f"team/app/manifests/{path}")
    station.ask("HEAD", "team/app/manifests/1.0")
    station.arrive()
    entries = Entry.objects.filter(act="pull").order_by("id").values_list("tag", "count")
    assert sorted(entries) == [("", 1), ("1", 1), ("1.0", 2)]
    assert station.presence(digest).pulls == 0
    counting.fold()
    presence = station.presence(digest)
    assert (presence.pulls, PullDay.objects.get().pulls) == (4, 4)
    assert presence.pulled_at is not None
    assert counting.fold() == 0


def test_a_registry_that_is_away_is_read_when_it_is_back(station: Station) -> None:
    digest = station.pusher().image("1.0")
    bodies = station.heard()
    station.real.__exit__()
    hand_in(station.row, bodies)
    handle_all()
    assert station.story() == [("push", "1.0")]
    assert station.tags() == {}
    with station.real, handling() as at_work:
        Unread.objects.update(due_at=timezone.now())
        rereading.read_due(at_work)
        assert station.tags() == {"1.0": digest}
        assert not Unread.objects.exists()


def test_a_registry_that_is_away_stays_on_the_list(station: Station) -> None:
    station.pusher().image("1.0")
    bodies = station.heard()
    station.real.__exit__()
    hand_in(station.row, bodies)
    handle_all()
    Unread.objects.update(due_at=timezone.now())
    with handling() as at_work:
        rereading.read_due(at_work)
    row = Unread.objects.get()
    assert (row.tag, row.tries) == ("1.0", 2)
    assert row.due_at > timezone.now()


def test_a_registry_that_was_started_anew_may_have_lost_some(station: Station) -> None:
    push = station.pusher()
    push.image("1.0")
    station.arrive()
    station.real.__exit__()
    with station.real:
        push.image("2.0", seed="2")
        station.arrive()
    assert [act for act, _ in station.story()] == ["push", "gap", "push"]
    gap = Entry.objects.get(act="gap")
    assert gap.since is not None
    assert gap.since < gap.at


def test_a_push_that_a_scan_saw_first_is_told_from_then(station: Station) -> None:
    old = station.pusher().image("1.0")
    station.arrive()
    scan(station.row)
    new = station.pusher().image("1.0", seed="new")
    bodies = station.heard()
    scan(station.row)
    hand_in(station.row, bodies)
    handle_all()
    moved = Entry.objects.get(act="move")
    assert (moved.digest_before, moved.digest_after) == (old, new)
    assert moved.at == Tag.objects.get(name="1.0").moved_at


def dated(bodies: list[bytes], moment: str) -> list[bytes]:
    return [changed(body, timestamp=moment) for body in bodies]


def test_what_is_told_late_changes_nothing_of_what_came_after(station: Station) -> None:
    push, versions, told = station.pusher(), list[str](), list[list[bytes]]()
    for number in range(5):
        versions.append(push.image("1.0", seed=str(number)))
        told.append([body for body in station.heard() if b'"1.0"' in body])
    deleted = [changed(body, action="delete", id="a-delete") for body in told[1]]
    for bodies in (told[0], told[2], told[1], [*deleted, *told[3]], told[4]):
        hand_in(station.row, bodies)
        handle_all()
    before = dict(Entry.objects.values_list("digest_after", "digest_before"))
    first, second, third, fourth, fifth = versions
    assert (before[second], before[third], before[""]) == (first, first, first), "nobody knows better"
    assert (before[fourth], before[fifth]) == (third, fourth), "not what was told before them"


def test_a_late_push_does_not_say_who_pushed_last(station: Station) -> None:
    digest = station.pusher(agent="first").image("1.0")
    early = [changed(body, actor={"name": "early"}) for body in station.heard()]
    station.pusher().image("1.0")
    station.arrive()
    hand_in(station.row, early)
    handle_all()
    assert Entry.objects.filter(actor="early").exists()
    assert station.presence(digest).pushed_by == "alice"


def test_a_clock_that_is_ahead_changes_no_story(station: Station) -> None:
    push = station.pusher()
    first = push.image("1.0")
    hand_in(station.row, dated(station.heard(), "2098-01-01T00:00:00Z"))
    handle_all()
    second = push.image("1.0", seed="second")
    hand_in(station.row, dated(station.heard(), "2098-01-01T00:01:00Z"))
    handle_all()
    push.image("1.0", seed="third")
    station.arrive()  # its clock was set right
    assert station.story() == [("push", "1.0"), ("move", "1.0"), ("move", "1.0")]
    assert list(Entry.objects.order_by("id").values_list("digest_before", flat=True)) == ["", first, second]


def test_pushes_are_counted_by_the_day(station: Station) -> None:
    push = station.pusher()
    push.image("1.0", "1")
    push.index("2.0", children=[push.image(seed="a"), push.image(seed="b", platform="linux/arm64")])
    station.arrive()
    assert [row.pushes for row in PushDay.objects.filter(repository=station.repository())] == [3]
    push.image("1.0")
    push.image(seed="alone")
    station.arrive()
    assert PushDay.objects.get().pushes == 4, "what may belong to an index is not counted yet"
    waiting.end_due(timezone.now() + timedelta(minutes=1))
    assert PushDay.objects.get().pushes == 5
    counting.prune(timezone.now() + counting.KEPT - timedelta(days=1))
    assert PushDay.objects.exists()
    counting.prune(timezone.now() + counting.KEPT + timedelta(days=1))
    assert not PushDay.objects.exists()


def test_what_is_pushed_again_is_the_newest_of_its_repository(station: Station) -> None:
    push = station.pusher()
    first = push.image("1.0")
    second = push.image("2.0", seed="other")
    station.arrive()
    before = station.repository()
    assert before.newest == station.presence(second)
    push.image("1.0")
    station.arrive()
    after = station.repository()
    assert after.newest == station.presence(first)
    assert after.changed_at == station.presence(first).dated > before.changed_at
    assert station.presence(first).pushed_by == "alice"
