from __future__ import annotations

import json
import shutil
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.models import Entry
from catalog.models import Manifest
from catalog.reads.documents import raw_manifest
from registries.clients import client_for
from tagging import checking
from tagging.models import KeptManifest, TrashEntry, TrashPart
from tagging.trash import keep, parts_of
from tests.tagging.acting import Actor

STATE = TrashEntry.State


def looked_at(actor: Actor) -> set[str]:
    with client_for(actor.row) as client:
        checking.check(actor.row, client, actor.trash(), timezone.now())
    return {entry.state for entry in actor.trash()}


def test_a_tag_that_was_deleted_is_restorable(actor: Actor) -> None:
    actor.push.image("1", "2")
    actor.scan()
    actor.carry_out(actor.plan_tags("1"))

    assert looked_at(actor) == {STATE.RESTORABLE}
    assert actor.trash()[0].checked_at is not None


def test_an_image_that_was_deleted_is_at_risk_unless_others_use_its_blobs(actor: Actor) -> None:
    digest = actor.push.image("1", seed="only here", layers=[b"only here"])
    actor.push.image("2", seed="2")
    actor.scan()
    actor.carry_out(actor.plan_images(digest))
    assert looked_at(actor) == {STATE.AT_RISK}

    Actor(actor.real, actor.row, actor.person, "other").push.image("1", seed="only here", layers=[b"only here"])
    actor.scan()

    assert looked_at(actor) == {STATE.RESTORABLE}


def test_what_was_untagged_before_its_image_was_deleted_is_at_risk_too(actor: Actor) -> None:
    digest = actor.push.image("1", "2", seed="only here", layers=[b"only here"])
    actor.push.image("3", seed="3")
    actor.scan()
    actor.carry_out(actor.plan_tags("1"))

    actor.carry_out(actor.plan_images(digest))

    assert {(entry.tag, entry.state) for entry in actor.trash()} == {("1", STATE.AT_RISK), ("2", STATE.AT_RISK)}
    assert looked_at(actor) == {STATE.AT_RISK}


def test_blobs_that_were_swept_are_said_to_be_gone(actor: Actor) -> None:
    digest = actor.push.image("1")
    actor.scan()
    actor.carry_out(actor.plan_images(digest))
    layer = json.loads(raw_manifest(Manifest.objects.get(digest=digest)) or b"")["layers"][0]["digest"]
    hex_ = layer.removeprefix("sha256:")
    shutil.rmtree(actor.real.storage / f"docker/registry/v2/blobs/sha256/{hex_[:2]}/{hex_}")

    assert looked_at(actor) == {STATE.BLOBS_GONE}
    assert actor.trash()[0].problem == layer


def test_those_that_are_due_are_looked_at_and_a_silent_registry_waits(actor: Actor) -> None:
    actor.push.image("1", "2")
    actor.scan()
    actor.carry_out(actor.plan_tags("1"))
    TrashEntry.objects.update(state=STATE.UNCHECKED, checked_at=None)
    actor.real.__exit__()
    checking.check_due(timezone.now())
    assert actor.trash()[0].state == STATE.UNCHECKED

    actor.real.__enter__()
    checking.check_due(timezone.now())

    assert actor.trash()[0].state == STATE.RESTORABLE


@pytest.mark.parametrize("days", [0, 15])
def test_what_has_expired_gives_up_its_bytes_and_later_its_entry(actor: Actor, days: int) -> None:
    actor.push.image("1", "2")
    actor.push.image("keep", seed="keep")
    actor.scan()
    actor.carry_out(actor.plan_tags("1", "keep"))
    now = timezone.now() + timedelta(days=days)
    TrashEntry.objects.filter(tag="1").update(until=now - timedelta(days=days))
    TrashEntry.objects.filter(tag="keep").update(until=now + timedelta(days=1))

    checking.expire(now)

    assert {entry.tag for entry in actor.trash()} == ({"keep", "1"} if not days else {"keep"})
    assert TrashPart.objects.filter(entry__tag="1").count() == 0
    assert KeptManifest.objects.count() == 1
    (entry,) = Entry.objects.filter(act="empty-trash")
    assert (entry.tag, entry.actor) == ("1", "")


def test_an_entry_of_a_deletion_that_never_happened_is_forgotten(actor: Actor) -> None:
    actor.push.image("1", "2")
    actor.scan()
    plan = actor.carry_out(actor.plan_tags("1"))
    TrashEntry.objects.update(deleted_at=None)

    checking.expire(timezone.now())

    assert plan.items.count() == 1
    assert not TrashEntry.objects.exists()
    assert not KeptManifest.objects.exists()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets only one write at a time")
@pytest.mark.django_db(transaction=True)
def test_what_is_thrown_away_while_others_expire_is_kept(actor: Actor) -> None:
    """The bytes that the one needs are those that the other is about to let go of."""
    actor.push.image("1", "2")
    actor.scan()
    actor.carry_out(actor.plan_tags("1"))
    plan = actor.plan_tags("2")
    TrashEntry.objects.update(until=timezone.now() - timedelta(days=1))
    expiring = threading.Thread(target=expire_apart)

    with transaction.atomic():
        kept = keep(plan, list(plan.items.select_related("repository")), TrashEntry.How.UNTAGGED, timezone.now())
        expiring.start()
        expiring.join(0.5)
        TrashEntry.objects.filter(plan=plan).update(deleted_at=timezone.now())
    expiring.join()

    entry = TrashEntry.objects.alive(timezone.now()).get()
    assert (entry.tag, {part.kept.digest for part in parts_of(entry)}) == ("2", kept)


def expire_apart() -> None:
    try:
        checking.expire(timezone.now())
    finally:
        connection.close()
