"""A scan and an act in one repository at a time: what Berth itself changes, a scan that is under way leaves alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Presence, Repository, Scan, Tag, TagSpan, Throwaway
from catalog.recording import repositories
from catalog.recording.acts import database_time
from catalog.scanning.api import read_tag
from catalog.scanning.known import known_tags
from catalog.scanning.listing import TagListing
from catalog.scanning.reading import BatchReading
from catalog.scanning.work import Work
from jobs.models import Job
from jobs.running import Lease, claim
from oci.names import TagName, parse_repository
from oci.throwaway import MEDIA_TYPE, throwaway
from registries.clients import client_for
from tests.catalog.picture import check_counters
from tests.tagging.acting import Actor
from tests.web import furniture as make


def lease_of(actor: Actor) -> Lease:
    job = make.job(actor.row, Job.State.QUEUED)
    lease = claim(job.pk)
    assert lease is not None
    return lease


def read(actor: Actor, *tags: str) -> BatchReading:
    """What a scan reads of these tags now, before it writes anything."""
    known = known_tags(actor.repository.pk, tags)
    with client_for(actor.row) as client:
        name = parse_repository(actor.name)
        readings = [read_tag(client, name, TagName(tag), known.get(tag)) for tag in tags]
    batch = BatchReading(readings)
    batch.contents = {r.digest: r.content for r in readings if r.digest and r.content is not None}
    batch.present = {r.digest for r in readings if r.digest}
    return batch


def test_what_a_scan_read_before_a_delete_does_not_come_back(actor: Actor) -> None:
    actor.push.image("1", "2")
    actor.scan()
    actor.push.image("1", "2", seed="newer")
    since, batch = database_time(), read(actor, "1", "2")
    actor.push.image("1", "2")  # as they were again
    actor.carry_out(actor.plan_tags("1"))

    repositories.record(lease_of(actor), actor.repository, batch, since)

    assert actor.live() == {"2"}


def test_what_a_scan_did_not_list_before_a_restore_does_not_go(actor: Actor) -> None:
    actor.push.image("1", "2")
    actor.scan()
    actor.carry_out(actor.plan_tags("1"))
    since = database_time()
    actor.carry_out(actor.plan_restore(*actor.trash()))
    tag = Tag.objects.get(name="1")
    work = Work(TagListing(parse_repository(actor.name), (TagName("2"),)), 1, gone=[tag.pk])

    repositories.complete(lease_of(actor), actor.repository, work, since)

    assert actor.live() == {"1", "2"}
    check_counters()


def test_a_scan_sees_no_image_in_an_open_throwaway(actor: Actor) -> None:
    digest = actor.push.image("1", "2")
    actor.scan()
    content = throwaway("a plan of ours")
    thrown = actor.push.manifest(content, "1", "unseen", media_type=MEDIA_TYPE)
    Throwaway.objects.create(repository=actor.repository, digest=thrown, name="a plan of ours")

    actor.scan()

    assert (actor.digest("1"), actor.live()) == (digest, {"1", "2"})
    assert not Presence.objects.filter(manifest__digest=thrown).exists()
    assert not TagSpan.objects.filter(manifest__digest=thrown).exists()
    check_counters()
    Throwaway.objects.update(closed_at=timezone.now())
    actor.scan()
    assert actor.digest("1") == thrown  # whoever copies an old one hides nothing by it


def test_the_next_scan_sees_what_was_changed_from_outside_since(actor: Actor) -> None:
    actor.push.image("1", "2")
    actor.scan()
    actor.carry_out(actor.plan_tags("1"))
    newer = actor.push.image("1", seed="newer")

    actor.scan()

    assert actor.digest("1") == newer
    assert Tag.objects.get(name="1").gone_at is None
    check_counters()


def test_a_repository_that_only_a_plan_names_is_in_no_list(actor: Actor) -> None:
    from tagging.planning import Asked
    from tagging.planning_copies import Target, plan_copy
    from tagging.services import forget

    digest = actor.push.image("1")
    actor.scan()
    target = Target(parse_repository("new/place"), TagName("1"))
    plan = plan_copy(actor.repository, digest, target, Asked(actor.person))
    assert not Repository.objects.live().filter(name="new/place").exists()

    type(plan).objects.update(created_at=timezone.now() - timedelta(days=8))
    forget()

    assert not Repository.objects.filter(name="new/place").exists()
    assert not type(plan).objects.exists()


@pytest.mark.parametrize("tags", [("1",), ("1", "2")])
def test_lists_say_at_once_what_is_left(actor: Actor, tags: tuple[str, ...]) -> None:
    actor.push.image("1", "2")
    actor.push.image("3", seed="3")
    actor.scan()
    actor.carry_out(actor.plan_tags(*tags))

    row = actor.repository
    assert (row.tag_count, row.image_count) == (3 - len(tags), 2 if len(tags) == 1 else 1)
    assert row.newest is not None
    before = (row.tag_count, row.image_count, row.size, row.pushed, row.newest_id, row.state)
    actor.scan()
    row = actor.repository
    assert (row.tag_count, row.image_count, row.size, row.pushed, row.newest_id, row.state) == before
    assert Scan.objects.complete().count() == 2
