from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from catalog.models import Manifest, Presence
from catalog.reads.documents import raw_manifest
from tagging.models import Plan, TrashEntry
from tests.catalog.picture import check_counters
from tests.tagging.acting import Actor


def deleted(actor: Actor, *tags: str) -> list[TrashEntry]:
    plan = actor.carry_out(actor.plan_tags(*tags))
    assert plan.state == Plan.State.DONE
    return [entry for entry in actor.trash() if entry.plan_id == plan.pk]


def test_what_was_deleted_comes_back_byte_by_byte(actor: Actor) -> None:
    actor.push.image("1", "2")
    before = actor.push.fetch("1")
    actor.scan()
    date = Presence.objects.get().dated

    plan = actor.carry_out(actor.plan_restore(*deleted(actor, "1", "2")))

    assert actor.outcomes(plan) == {"1": "done", "2": "done"}
    assert actor.listed() == actor.live() == {"1", "2"}
    assert actor.push.fetch("1") == before
    assert actor.pulls("1")
    assert actor.trash() == []
    assert Presence.objects.get().dated == date
    assert [(e.act, e.tag) for e in Entry.objects.filter(plan_id=plan.pk).order_by("id")] == [
        ("restore", "1"),
        ("restore", "2"),
    ]
    check_counters()


@pytest.mark.parametrize("by_digest", [False, True])
def test_an_index_of_four_platforms_comes_back(actor: Actor, by_digest: bool) -> None:
    children = [actor.push.image(platform=f"linux/{name}") for name in ("amd64", "arm64", "arm/v7", "s390x")]
    index = actor.push.index("1.0", children=children)
    actor.push.image("keep", seed="keep")
    before = [actor.push.fetch(digest) for digest in (index, *children)]
    actor.scan()
    plan = actor.plan_images(index, *children) if by_digest else actor.plan_tags("1.0")
    actor.carry_out(plan)
    assert actor.gets(index) is not by_digest
    assert actor.gets(children[0]) is not by_digest

    entries = [entry for entry in actor.trash() if entry.tag]
    restored = actor.carry_out(actor.plan_restore(*entries))

    assert actor.outcomes(restored) == {"1.0": "done"}, actor.notes(restored)
    assert [actor.push.fetch(digest) for digest in ("1.0", *children)] == before
    assert actor.pulls("1.0")
    actor.scan()
    assert Presence.objects.get(manifest__digest=index).state == Presence.State.WHOLE
    check_counters()


def test_what_is_attached_comes_back_too(actor: Actor) -> None:
    digest = actor.push.image("1.0")
    signature = f"{digest.replace(':', '-')}.sig"
    attached = actor.push.artifact(signature, subject=digest)
    actor.scan()
    before = actor.push.fetch(attached)
    actor.carry_out(actor.plan_repository())
    assert actor.listed() == set()
    assert not actor.gets(attached)

    actor.carry_out(actor.plan_restore(*[entry for entry in actor.trash() if entry.tag == "1.0"]))

    assert actor.listed() == {"1.0", signature}
    assert actor.push.fetch(signature) == before


def test_a_newer_tag_is_left_alone_unless_it_is_to_be_replaced(actor: Actor) -> None:
    old = actor.push.image("1")
    actor.scan()
    (entry,) = deleted(actor, "1")
    newer = actor.push.image("1", seed="newer")
    actor.scan()

    plan = actor.carry_out(actor.plan_restore(entry))
    assert actor.outcomes(plan) == {"1": "skipped"}
    assert actor.digest("1") == newer

    replacing = actor.carry_out(actor.plan_restore(entry, replace=True))
    assert actor.outcomes(replacing) == {"1": "done"}, actor.notes(replacing)
    assert actor.digest("1") == old
    (replaced,) = actor.trash()
    assert (replaced.digest, replaced.how) == (newer, TrashEntry.How.REPLACED)
    check_counters()


def test_a_tag_that_came_back_by_itself_is_as_it_is(actor: Actor) -> None:
    digest = actor.push.image("1")
    actor.scan()
    (entry,) = deleted(actor, "1")
    actor.push.image("1")

    plan = actor.carry_out(actor.plan_restore(entry))

    assert actor.outcomes(plan) == {"1": "done"}
    assert (actor.digest("1"), actor.trash()) == (digest, [])


def test_swept_blobs_are_said_to_be_gone(actor: Actor) -> None:
    digest = actor.push.image("1", "2")
    actor.scan()
    actor.carry_out(actor.plan_images(digest))
    layer = json.loads(raw_manifest(Manifest.objects.get(digest=digest)) or b"")["layers"][0]["digest"]
    hex_ = layer.removeprefix("sha256:")
    shutil.rmtree(actor.real.storage / f"docker/registry/v2/blobs/sha256/{hex_[:2]}/{hex_}")

    plan = actor.carry_out(actor.plan_restore(*actor.trash()))

    assert set(actor.outcomes(plan).values()) == {"failed"}
    assert "push them again" in actor.notes(plan).pop()
    assert {(entry.state, entry.problem) for entry in actor.trash()} == {(TrashEntry.State.BLOBS_GONE, layer)}
    assert actor.listed() == set()


def test_what_has_expired_does_not_come_back(actor: Actor) -> None:
    actor.push.image("1")
    actor.scan()
    (entry,) = deleted(actor, "1")
    plan = actor.plan_restore(entry)
    TrashEntry.objects.update(until=timezone.now() - timedelta(seconds=1))

    actor.carry_out(plan)

    assert actor.outcomes(plan) == {"1": "skipped"}
    assert actor.notes(plan) == {"it has expired"}


def test_of_two_that_were_deleted_under_one_tag_the_newer_comes_back(actor: Actor) -> None:
    actor.push.image("1")
    actor.scan()
    (older,) = deleted(actor, "1")
    newer = actor.push.image("1", seed="newer")
    actor.scan()
    deleted(actor, "1")

    plan = actor.carry_out(actor.plan_restore(*actor.trash()))

    assert actor.outcomes(plan) == {"1": "done"}
    assert actor.push_digest("1") == actor.digest("1") == newer
    assert actor.trash() == [older]


def test_indexes_that_list_the_same_ones_are_kept_in_no_time(actor: Actor) -> None:
    level = [actor.push.image(seed=str(n)) for n in range(40)]
    for depth in range(3):
        level = [actor.push.index(children=level, annotations={"at": f"{depth}.{n}"}) for n in range(40)]
    actor.push.index("top", children=level)
    actor.scan()

    (entry,) = deleted(actor, "top")

    assert entry.parts.count() == 161
