"""What Berth itself does is one entry with the person's name, however the registry tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from access.models import User
from audit.models import Entry
from catalog.arrivals import rereading, unexplained
from catalog.models import ChangeLook, Tag, Unread
from registries.models import Registry
from registries.probing import probe
from tagging import breaches, rules
from tagging.models import ProtectionRule
from tests.catalog.arrivals.station import Station, basic, hand_in, handle_all, handling
from tests.ear import Ear
from tests.real_registry import PASSWORD, USERNAME, RealRegistry, generations_in_turn
from tests.tagging.acting import Actor
from web.tag_history import entries_of, history_of

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture(params=generations_in_turn())
def station(request: pytest.FixtureRequest, tmp_path: Path, db: None) -> Iterator[Station]:
    with Ear() as ear, RealRegistry(tmp_path, request.param, htpasswd=True, settings=ear.settings()) as real:
        row = Registry.objects.create(name="test", url=real.url, username=USERNAME, password=PASSWORD)
        probe(row)
        yield Station(real, row, ear, basic())


@pytest.fixture
def actor(station: Station, staff: User) -> Actor:
    actor = Actor(station.real, station.row, staff)
    actor.push = station.pusher()
    return actor


def look() -> list[Entry]:
    """The changes that a look in a while would not find explained."""
    long_ago = timezone.now() - timedelta(days=1)
    ChangeLook.objects.update(looked_until=long_ago, begun_at=long_ago)
    unexplained.look(timezone.now() + unexplained.GRACE)
    return list(Entry.objects.filter(act="change", repository="team/app"))


def test_a_deleted_tag_is_one_entry(station: Station, actor: Actor) -> None:
    actor.push.image("1.0", "1", "latest")
    station.arrive()
    actor.scan()
    station.arrive()
    before = Entry.objects.count()
    actor.carry_out(actor.plan_tags("1", why="not needed"))
    station.arrive()
    (entry,) = Entry.objects.order_by("id")[before:]
    assert (entry.act, entry.tag, entry.actor, entry.source) == ("delete-tag", "1", "mara", "berth")
    assert set(station.tags()) == {"1.0", "latest"}
    assert station.stream().own > 0
    look()
    assert look() == []


def test_a_deleted_image_is_told_by_berth_alone(station: Station, actor: Actor) -> None:
    digest = actor.push.image("1.0", "1")
    actor.push.image("other", seed="other")
    station.arrive()
    actor.scan()
    station.arrive()
    before = Entry.objects.count()
    actor.carry_out(actor.plan_images(digest))
    station.arrive()
    acts = Entry.objects.order_by("id")[before:]
    assert {(entry.actor, entry.source) for entry in acts} == {("mara", "berth")}
    assert set(station.tags()) == {"other"}
    look()
    assert look() == []


def test_what_is_restored_is_told_by_berth_alone(station: Station, actor: Actor) -> None:
    digest = actor.push.image("1.0", "1")
    station.arrive()
    actor.scan()
    actor.carry_out(actor.plan_tags("1.0"))
    actor.carry_out(actor.plan_restore(*actor.trash()))
    station.arrive()
    acts = [(entry.act, entry.source, entry.actor) for entry in Entry.objects.order_by("id")]
    assert acts[-2:] == [("delete-tag", "berth", "mara"), ("restore", "berth", "mara")]
    assert station.tags() == {"1.0": digest, "1": digest}
    look()
    assert look() == []


def test_a_scan_leaves_no_entry(station: Station, actor: Actor) -> None:
    actor.push.image("1.0")
    station.arrive()
    before = Entry.objects.count()
    actor.scan()
    station.arrive()
    assert Entry.objects.count() == before
    assert station.stream().own > 0


def test_whoever_shows_our_name_is_told_of_all_the_same(station: Station, actor: Actor) -> None:
    actor.push.image("1.0")
    station.arrive()
    actor.scan()
    forged = "berth/0.1.0 (job-1; AAAAAAAA; 00000000000000000000000000000000)"
    station.ask("GET", "team/app/manifests/1.0", agent=forged)
    station.arrive()
    assert Entry.objects.filter(act="pull", user_agent=forged).exists()


def test_a_scan_that_finds_what_nobody_told_says_so(station: Station, actor: Actor) -> None:
    old = actor.push.image("1.0", "gone")
    station.arrive()
    actor.scan()
    look()
    actor.push.image("1.0", seed="new")
    actor.push.image("new", seed="other")
    station.heard()  # and it never comes in
    actor.scan()
    changes = {(entry.tag, entry.digest_before) for entry in look()}
    assert changes == {("1.0", old), ("new", "")}
    entry = Entry.objects.get(act="change", tag="1.0")
    assert (entry.actor, entry.source) == ("", "scan")
    assert entry.since is not None
    assert entry.since < entry.at
    assert len(look()) == 2
    assert station.stream().unexplained >= 2


def test_what_is_told_late_explains_it(station: Station, actor: Actor) -> None:
    actor.push.image("1.0")
    station.arrive()
    actor.scan()
    look()
    new = actor.push.image("1.0", seed="new")
    bodies = station.heard()
    actor.scan()
    assert station.tags() == {"1.0": new}
    hand_in(station.row, bodies)
    handle_all()
    (moved,) = Entry.objects.filter(act="move")
    assert moved.digest_after == new
    assert look() == []


def test_who_moved_a_tag_is_known_of_what_could_not_be_read_at_once(station: Station, actor: Actor) -> None:
    actor.push.image("1.0")
    station.arrive()
    rules.add(ProtectionRule(tags="1.0"), actor.person)
    breaches.look(timezone.now())
    new = actor.push.image("1.0", seed="new")
    bodies = station.heard()
    station.real.__exit__()
    hand_in(station.row, bodies)
    handle_all()
    with station.real, handling() as at_work:
        Unread.objects.update(due_at=timezone.now())
        rereading.read_due(at_work)
    assert station.tags() == {"1.0": new}
    tag = Tag.objects.get()
    latest, first = history_of(tag, entries_of(tag))
    moved = Entry.objects.get(act="move")
    assert (latest.act, first.end) == (moved, None)
    assert latest.began > moved.at
    breaches.look(timezone.now())
    breach = Entry.objects.get(act="breach-move")
    assert (breach.actor, breach.source, breach.user_agent) == ("alice", "event", moved.user_agent)


def test_what_a_later_scan_found_was_not_there_at_first(station: Station, actor: Actor) -> None:
    old = station.pusher("team/old")
    old.image("1")
    actor.scan()
    unexplained.look(timezone.now())
    actor.push.image("1.0")
    station.heard()  # and it never comes in
    actor.scan()
    for name, is_first in {"1": True, "1.0": False}.items():
        tag = Tag.objects.select_related("repository").get(name=name, repository__name__startswith="team/")
        (named,) = history_of(tag, entries_of(tag))
        assert named.is_first == is_first


def test_a_registry_that_ends_with_a_full_queue_has_lost_what_was_in_it(station: Station, actor: Actor) -> None:
    old = actor.push.image("1.0")
    station.arrive()
    actor.scan()
    look()
    station.ear.is_deaf = True
    new = actor.push.image("1.0", seed="new")
    station.real.__exit__()
    station.ear.is_deaf = False
    with station.real:
        actor.scan()
        (change,) = look()
        assert (change.tag, change.digest_before, change.digest_after) == ("1.0", old, new)
        actor.push.image("2.0", seed="2")
        station.arrive()
    assert Entry.objects.filter(act="gap").count() == 1
    assert [entry.act for entry in Entry.objects.filter(tag="1.0").order_by("pk")] == ["push", "change"]
    assert [entry.act for entry in Entry.objects.filter(tag="2.0")] == ["push"]
