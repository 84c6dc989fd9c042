from __future__ import annotations

import urllib.request

import pytest

from audit.models import Entry
from catalog.models import Presence
from oci.names import RepositoryName, TagName
from tagging import planning_copies, undoing
from tagging.models import Plan, ProtectionRule, TrashEntry
from tagging.planning import Asked, NotPlanned
from tagging.planning_copies import Kind, Target
from tests.catalog.picture import check_counters
from tests.hostile import Reply
from tests.pushing import Pusher
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate


def plan_copy(actor: Actor, digest: str, tag: str, repository: str = "", **more: object) -> Plan:
    target = Target(RepositoryName(repository or actor.name), TagName(tag))
    return planning_copies.plan_copy(actor.repository, digest, target, Asked(actor.person), **more)  # type: ignore[arg-type]


def test_a_new_tag_is_the_same_bytes(actor: Actor) -> None:
    digest = actor.push.image("1.0")
    actor.scan()

    plan = actor.carry_out(plan_copy(actor, digest, "stable"))

    assert actor.outcomes(plan) == {"stable": "done"}
    assert actor.listed() == actor.live() == {"1.0", "stable"}
    assert actor.push_digest("stable") == actor.digest("stable") == digest
    assert actor.trash() == []
    (entry,) = Entry.objects.all()
    assert (entry.act, entry.tag, entry.digest_before, entry.digest_after) == ("retag", "stable", "", digest)
    check_counters()


def test_what_a_tag_pointed_to_goes_to_the_trash(actor: Actor) -> None:
    old, new = actor.push.image("latest"), actor.push.image("2", seed="2")
    actor.scan()

    plan = actor.carry_out(plan_copy(actor, new, "latest"))

    assert actor.outcomes(plan) == {"latest": "done"}
    assert actor.digest("latest") == actor.push_digest("latest") == new
    (entry,) = actor.trash()
    assert (entry.tag, entry.digest, entry.how) == ("latest", old, TrashEntry.How.REPLACED)
    actor.carry_out(actor.plan_restore(entry, replace=True))
    assert actor.push_digest("latest") == old
    check_counters()


def test_a_target_that_moved_meanwhile_is_left_alone(actor: Actor) -> None:
    actor.push.image("latest")
    new = actor.push.image("2", seed="2")
    actor.scan()
    plan = plan_copy(actor, new, "latest")
    third = actor.push.image("latest", seed="3")

    actor.carry_out(plan)

    assert actor.outcomes(plan) == {"latest": "skipped"}
    assert actor.push_digest("latest") == third


@pytest.mark.parametrize("before", ["", "old"])
def test_a_tag_that_moved_on_since_is_not_taken_back(actor: Actor, before: str) -> None:
    digest = actor.push.image("1")
    if before:
        actor.push.image("latest", seed=before)
    actor.scan()
    plan = actor.carry_out(plan_copy(actor, digest, "latest"))
    assert undoing.can_undo(plan)
    actor.push.image("latest", seed="newer")
    actor.scan()

    with pytest.raises(NotPlanned, match="Nothing of this can be taken back"):
        undoing.plan_undo(plan, Asked(actor.person))
    assert not undoing.can_undo(plan)


def test_a_rename_puts_and_then_deletes(actor: Actor) -> None:
    digest = actor.push.image("old", "alias")
    actor.scan()

    plan = actor.carry_out(plan_copy(actor, digest, "new", kind=Kind.RENAME, old_tag="old"))

    assert actor.outcomes(plan) == {"new": "done", "old": "done"}, actor.notes(plan)
    assert actor.listed() == actor.live() == {"new", "alias"}
    assert [(act, tag) for act, tag, _ in actor.entries(plan)] == [("rename", "new"), ("delete-tag", "old")]
    check_counters()


def test_a_rename_whose_new_tag_could_not_be_set_keeps_the_old_one(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("old")
    gated.scan()
    plan = plan_copy(gated, digest, "new", kind=Kind.RENAME, old_tag="old")
    gate.refuse(after=0, method="PUT", reply=Reply.errors(400, "MANIFEST_INVALID"))

    gated.carry_out(plan)

    assert gated.outcomes(plan) == {"new": "failed", "old": "skipped"}
    assert gated.listed() == {"old"}


def test_an_index_of_four_platforms_is_copied_and_no_layer_travels(gate: Gate, gated: Actor) -> None:
    children = [gated.push.image(platform=f"linux/{name}") for name in ("amd64", "arm64", "arm/v7", "s390x")]
    index = gated.push.index("1.0", children=children)
    gated.scan()
    gate.passed.clear()

    plan = gated.carry_out(plan_copy(gated, index, "1.0", "prod/app", kind=Kind.COPY))

    assert gated.outcomes(plan) == {"1.0": "done"}, gated.notes(plan)
    of_blobs = [asked for asked in gate.passed if "/blobs/" in asked.target]
    assert {asked.method for asked in of_blobs} == {"HEAD", "POST"}
    assert sum(len(asked.body) for asked in of_blobs) == 0
    assert all("mount=" in asked.target for asked in of_blobs if asked.method == "POST")
    copy = Actor(gated.real, gated.row, gated.person, "prod/app")
    assert copy.listed() == copy.live() == {"1.0"}
    assert copy.push_digest("1.0") == index
    assert copy.pulls("1.0")
    assert copy.repository.gone_at is None
    gated.scan()
    assert copy.live() == {"1.0"}
    assert Presence.objects.get(repository=copy.repository, manifest__digest=index).state == Presence.State.WHOLE
    check_counters()


def test_what_is_attached_comes_along_when_it_is_wanted(actor: Actor) -> None:
    digest = actor.push.image("1.0")
    signature = f"{digest.replace(':', '-')}.sig"
    actor.push.artifact(signature, subject=digest)
    actor.scan()

    actor.carry_out(plan_copy(actor, digest, "plain", "prod/plain", kind=Kind.COPY))
    plan = actor.carry_out(plan_copy(actor, digest, "1.0", "prod/signed", kind=Kind.COPY, attached=True))

    assert set(actor.outcomes(plan).values()) == {"done"}, actor.notes(plan)
    assert Actor(actor.real, actor.row, actor.person, "prod/plain").listed() == {"plain"}
    signed = Actor(actor.real, actor.row, actor.person, "prod/signed")
    assert signed.listed() == signed.live() == {"1.0", signature}
    assert signed.push.fetch(signature) == actor.push.fetch(signature)


def test_an_index_with_a_missing_part_is_not_copied(actor: Actor) -> None:
    children = [actor.push.image(), actor.push.image(platform="linux/arm64")]
    index = actor.push.index("1.0", children=children)
    actor.scan()
    request = urllib.request.Request(f"{actor.real.url}/v2/team/app/manifests/{children[1]}", method="DELETE")
    urllib.request.urlopen(request, timeout=10).close()

    plan = actor.carry_out(plan_copy(actor, index, "1.0", "prod/app", kind=Kind.COPY))

    assert actor.outcomes(plan) == {"1.0": "failed"}
    assert "a part of it is missing" in actor.notes(plan).pop()
    assert Actor(actor.real, actor.row, actor.person, "prod/app").listed() == set()


def test_what_cannot_be_planned_is_said(actor: Actor) -> None:
    digest = actor.push.image("1", "2")
    other = actor.push.image("3", seed="3")
    actor.scan()
    ProtectionRule.objects.create(tags="3")

    with pytest.raises(NotPlanned, match="already"):
        plan_copy(actor, digest, "1")
    with pytest.raises(NotPlanned, match="not in the repository"):
        plan_copy(actor, "sha256:" + 64 * "0", "1")
    with pytest.raises(NotPlanned, match="protected"):
        plan_copy(actor, digest, "3")
    with pytest.raises(NotPlanned, match="protected"):
        plan_copy(actor, other, "4", kind=Kind.RENAME, old_tag="3")
    with pytest.raises(NotPlanned, match="no such tag"):
        plan_copy(actor, digest, "4", kind=Kind.RENAME, old_tag="nothing")
    assert not Plan.objects.exists()


def test_a_tag_renamed_to_itself_stays(actor: Actor) -> None:
    digest = actor.push.image("1")
    actor.scan()

    with pytest.raises(NotPlanned, match="points to this image already"):
        plan_copy(actor, digest, "1", kind=Kind.RENAME, old_tag="1")


def test_what_is_pushed_while_layers_are_linked_is_not_overwritten(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("1")
    elsewhere = Pusher(gated.real.url, "team/prod")
    elsewhere.image("live", seed="old")
    gated.scan()
    plan = plan_copy(gated, digest, "live", "team/prod")
    gate.meanwhile("POST", lambda: elsewhere.image("live", seed="newer"))

    gated.carry_out(plan)

    assert gated.outcomes(plan) == {"live": "skipped"}
    assert elsewhere.fetch("live") != gated.push.fetch("1")
    assert gated.trash() == []


def test_what_is_pushed_over_a_tag_that_had_come_by_itself_is_no_copy(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("1")
    elsewhere = Pusher(gated.real.url, "team/prod")
    gated.scan()
    plan = plan_copy(gated, digest, "live", "team/prod")
    elsewhere.image("live")
    gate.meanwhile("HEAD", lambda: elsewhere.image("live", seed="newer"))

    gated.carry_out(plan)

    assert gated.outcomes(plan) == {"live": "skipped"}
