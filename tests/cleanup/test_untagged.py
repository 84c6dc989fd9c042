"""Deleting what nothing reaches, at real registries: what goes, what stays, and what comes back."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from catalog.models import Presence
from cleanup import pins
from cleanup.models import Pin, UntaggedRun
from cleanup.untagged import services
from cleanup.untagged.judging import Stay
from jobs.models import Job
from registries.models import Registry
from registries.probing import probe
from tagging.models import Plan, TrashEntry
from tagging.planning_untagged import plan_untagged
from tests.catalog.picture import check_counters
from tests.cleanup.untagging import DONE, PLANNED, SKIPPED, age, ends, finish, go_on, notes, run
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.tagging.acting import Actor

State = UntaggedRun.State


def test_what_nothing_reaches_goes_and_everything_else_pulls_whole(actor: Actor) -> None:
    """The children of multi-platform tags, and what is attached to what is tagged, are untagged too, and stay."""
    amd, arm = actor.push.image(), actor.push.image(platform="linux/arm64")
    index = actor.push.index("1.0", children=[amd, arm])
    signature = actor.push.artifact(subject=amd)
    inner = actor.push.index(children=[amd])
    nested = actor.push.index("nested", children=[inner])
    alone = actor.push.image(seed="alone", layers=[b"nobody else has this"])
    dead_child = actor.push.image(seed="dead")
    dead_index = actor.push.index(children=[dead_child, amd])
    dead_signature = actor.push.artifact(subject=dead_child)
    actor.scan()
    age(actor)

    row, job = run(actor)

    assert job.state == Job.State.DONE, job.message
    assert (row.state, row.source, row.left_alone) == (State.DONE, "folder", [])
    gone = {alone, dead_child, dead_index, dead_signature}
    assert ends(row) == dict.fromkeys(gone, DONE)
    assert [actor.gets(digest) for digest in gone] == [False] * 4
    assert all(actor.gets(digest) for digest in (amd, arm, index, signature, inner, nested))
    assert actor.pulls("1.0")
    assert actor.push_digest("nested") == nested
    assert row.found == 10
    assert row.stays == {Stay.TAGGED: 2, Stay.PART: 3, Stay.ATTACHED: 1}
    assert job.message == "Deleted: 4 of 4. Left alone: 0. Failed: 0. Repositories left alone: 0."
    order = list(row.items.in_order().values_list("digest", flat=True))
    assert order.index(dead_index) < order.index(dead_child)
    assert order.index(dead_signature) < order.index(dead_child)
    assert set(Entry.objects.filter(act="delete-manifest", outcome="done").values_list("digest_before", "actor")) == {
        (digest, "mara") for digest in gone
    }
    check_counters()


def test_what_went_comes_back_from_the_trash_with_its_parts(actor: Actor) -> None:
    actor.push.image("stays", seed="stays")
    child = actor.push.image(seed="child")
    index = actor.push.index(children=[child])
    actor.scan()
    age(actor)
    row, _ = run(actor)
    assert ends(row) == {index: DONE, child: DONE}
    entry = TrashEntry.objects.alive(timezone.now()).get(digest=index)
    assert [(part.role, part.manifest.digest) for part in entry.parts.order_by("position")] == [
        ("child", child),
        ("root", index),
    ]

    plan = actor.carry_out(actor.plan_restore(entry))

    assert plan.state == Plan.State.DONE, plan.message
    assert actor.gets(index)
    assert actor.gets(child)


@pytest.mark.usefixtures("static_files")
def test_its_plans_and_its_job_have_pages(actor: Actor, client: Client) -> None:
    actor.push.image("stays", seed="stays")
    digest = actor.push.image(seed="alone")
    actor.scan()
    age(actor)
    row, job = run(actor)
    client.force_login(actor.person)

    plan = Plan.objects.get()

    assert (plan.job, plan.actor, plan.requested_by) == (job, "mara", actor.person)
    assert row.items.get().plan == plan
    page = client.get(plan.get_absolute_url()).content.decode()
    assert "nothing reaches it, by cleanup" in page
    assert digest.removeprefix("sha256:")[:12] in page
    assert "Deleting untagged manifests of test" in client.get(reverse("job", args=[job.pk])).content.decode()


def test_what_came_within_the_grace_stays_with_all_that_it_needs(actor: Actor) -> None:
    actor.push.image("stays", seed="stays")
    child = actor.push.image(seed="child")
    index = actor.push.index(children=[child])
    young = actor.push.image(seed="young")
    actor.scan()
    age(actor)
    age(actor, index, young, hours=23)

    row, job = run(actor)

    assert ends(row) == {}
    assert row.state == State.DONE
    assert job.message == "Something reaches each of 4 manifests. Repositories left alone: 0."
    row, _ = run(actor, grace_hours=22)
    assert ends(row) == dict.fromkeys([index, child, young], DONE)


def test_an_old_image_that_lost_its_tag_just_now_stays_for_the_grace(actor: Actor) -> None:
    old = actor.push.image("latest", seed="old")
    actor.scan()
    age(actor)
    actor.push.image("latest", seed="new")
    actor.scan()

    row, _ = run(actor)
    assert ends(row) == {}

    age(actor, old)
    row, _ = run(actor)
    assert ends(row) == {old: DONE}


def test_what_the_trash_would_restore_stays_until_that_ends(actor: Actor) -> None:
    children = [actor.push.image(), actor.push.image(platform="linux/arm64")]
    index = actor.push.index("1.0", children=children)
    actor.push.image("stays", seed="stays")
    actor.scan()
    actor.carry_out(actor.plan_tags("1.0"))
    age(actor)

    row, _ = run(actor)
    assert ends(row) == {}
    assert row.stays[Stay.TRASH] == 3

    actor.carry_out(actor.plan_restore(*actor.trash()))
    assert actor.pulls("1.0")
    actor.carry_out(actor.plan_tags("1.0"))
    TrashEntry.objects.update(until=timezone.now())
    age(actor)
    row, _ = run(actor)
    assert ends(row) == dict.fromkeys([index, *children], DONE)


def test_what_is_in_use_stays_with_its_index_and_all_that_lists(actor: Actor) -> None:
    amd, arm = actor.push.image(), actor.push.image(platform="linux/arm64")
    index = actor.push.index(children=[amd, arm])
    alone = actor.push.image(seed="alone")
    named = actor.push.image(seed="by its config")
    actor.scan()
    age(actor)
    config = json.loads(actor.push.fetch(named))["config"]["digest"]
    pins.report("cluster-a", [f"docker-pullable://test/app@{amd}", config], actor.person)

    row, _ = run(actor)
    assert ends(row) == {alone: DONE}

    Pin.objects.update(until=timezone.now())
    row, _ = run(actor)
    assert ends(row) == dict.fromkeys([index, amd, arm, named], DONE)


def test_a_plan_changes_nothing_and_is_carried_out_as_it_is_right_then(actor: Actor) -> None:
    """What was tagged, listed, pinned or deleted since it was planned is left alone, and says so."""
    digests = {name: actor.push.image(seed=name) for name in ("tagged", "listed", "pinned", "gone", "goes")}
    actor.push.image("stays", seed="stays")
    actor.scan()
    age(actor)
    row, job = run(actor, only_plan=True)
    assert job.message == "5 of 6 manifests would go. Repositories left alone: 0."
    assert ends(row) == dict.fromkeys(digests.values(), PLANNED)
    assert all(map(actor.gets, digests.values()))
    actor.push.image("now", seed="tagged")
    actor.push.index(children=[digests["listed"]])
    pins.report("cluster-a", [digests["pinned"]], actor.person)
    actor.delete_from_outside(digests["gone"])

    row, job = go_on(row, actor)

    assert row.state == State.DONE
    assert notes(row) == {
        digests["tagged"]: "a tag points to it by now, so it stays",
        digests["listed"]: "an index lists it that stays, so it stays",
        digests["pinned"]: "it is in use by now, or what it belongs to is, so it stays",
        digests["gone"]: "it is gone already",
        digests["goes"]: "",
    }
    assert ends(row) == dict.fromkeys(digests.values(), SKIPPED) | {digests["goes"]: DONE}
    assert job.message == "Deleted: 1 of 5. Left alone: 4. Failed: 0. Repositories left alone: 0."
    assert actor.pulls("now")


@pytest.mark.parametrize("name", ["index", "outer"])
def test_an_index_that_is_tagged_at_the_last_moment_keeps_all_that_it_lists(actor: Actor, name: str) -> None:
    """After the judgement, before the delete: the plan itself finds it out."""
    actor.push.image("stays", seed="stays")
    child = actor.push.image(seed="child")
    index = actor.push.index(children=[child])
    actor.scan()
    age(actor)
    row, _ = run(actor, only_plan=True)
    plan = plan_untagged(actor.repository, list(row.items.in_order().values_list("digest", flat=True)), "mara", "")
    if name == "index":
        actor.push.index("index", children=[child])
    else:
        actor.push.index("outer", children=[index])

    actor.carry_out(plan)

    assert actor.outcomes(plan) == {index: "skipped", child: "skipped"}
    assert all(map(actor.gets, (name, index, child)))


def test_a_registry_that_deletes_nothing_says_so_and_nothing_is_in_the_trash(
    actor: Actor, shut_registry: RealRegistry
) -> None:
    shut = Registry.objects.create(name="shut", url=shut_registry.url, storage=str(shut_registry.storage))
    probe(shut)
    other = Actor(shut_registry, shut, actor.person)
    digest = other.push.image(seed="alone")
    other.push.image("stays", seed="stays")
    other.scan()
    age(other)

    row, job = run(other)

    assert (job.state, row.state) == (Job.State.FAILED, State.BROKEN_OFF)
    assert job.message.startswith("Deletes are off at this registry.")
    assert ends(row) == {digest: PLANNED}
    assert not TrashEntry.objects.exists()


def test_what_cannot_be_read_leaves_its_repository_alone_and_no_other(actor: Actor) -> None:
    pushers = {name: Pusher(actor.real.url, name) for name in ("torn/link", "torn/tag", "torn/data", "whole")}
    digests = {name: push.image(seed=name) for name, push in pushers.items()}
    for push in pushers.values():
        push.image("stays", seed="stays")
    actor.scan()
    unread = pushers["torn/data"].index(children=[digests["torn/data"]])
    base = actor.real.storage / "docker/registry/v2"
    for name in pushers:
        age(Actor(actor.real, actor.row, actor.person, name))
    links = base / "repositories/torn/link/_manifests/revisions/sha256"
    (links / digests["torn/link"].removeprefix("sha256:") / "link").write_text("sha256:")
    (base / "repositories/torn/tag/_manifests/tags/stays/current/link").write_text("")
    hex_ = unread.removeprefix("sha256:")
    (base / f"blobs/sha256/{hex_[:2]}/{hex_}/data").write_text("{}")

    row, job = run(actor)

    assert {item.repository.name: item.state for item in row.items.select_related("repository")} == {"whole": DONE}
    assert row.left_alone_count == 3
    assert {name: why.split(",")[0].split(":")[0] for name, why in row.left_alone} == {
        "torn/data": "it could not be listed",
        "torn/link": "the manifest sha256",
        "torn/tag": "the tag stays cannot be read",
    }
    assert job.message.endswith("Repositories left alone: 3.")


def test_without_the_folder_it_goes_by_what_scans_have_seen_and_says_so(without_folder: Actor) -> None:
    actor = without_folder
    children = [actor.push.image(), actor.push.image(platform="linux/arm64")]
    actor.push.index("1.0", children=children)
    old = actor.push.image("old", seed="old")
    never_seen = actor.push.image(seed="never seen")
    deleted = actor.push.image("deleted", seed="deleted")
    actor.scan()
    actor.push.image("old", "deleted", seed="new")
    actor.scan()
    actor.delete_from_outside(deleted)
    age(actor, old, deleted)

    row, job = run(actor)

    assert job.state == Job.State.DONE, job.message
    assert (row.source, row.source_note) == ("catalog", "No storage folder of this registry is named.")
    assert ends(row) == {old: DONE}
    assert (actor.gets(old), actor.gets(never_seen)) == (False, True)
    assert actor.pulls("1.0")
    row, _ = run(actor)
    assert ends(row) == {}


def test_without_the_folder_a_repository_that_a_scan_could_not_read_is_left_alone(without_folder: Actor) -> None:
    actor = without_folder
    old = actor.push.image("old", seed="old")
    actor.scan()
    actor.push.image("old", seed="new")
    actor.scan()
    age(actor, old)
    repository = actor.repository
    repository.state = repository.State.FAILED
    repository.save()

    row, _ = run(actor)

    assert (ends(row), row.left_alone) == ({}, [["team/app", "no scan has read it to its end yet"]])
    assert actor.gets(old)


def test_two_of_one_registry_are_never_under_way(actor: Actor) -> None:
    actor.push.image("stays")
    actor.scan()

    first, job = services.begin(actor.row, actor.person)
    assert services.begin(actor.row, actor.person) == (first, job)
    assert services.carry_on(first, actor.person)[1] == job
    assert services.stop(first, actor.person)
    _, job = finish(first, job)
    assert job.state == Job.State.STOPPED
    second, _ = services.begin(actor.row, actor.person)
    assert second.pk != first.pk


def test_a_tag_that_only_looks_untagged_in_the_catalog_is_seen_in_the_folder(actor: Actor) -> None:
    """It came since the last scan, and the repository has many of them."""
    actor.push.image("stays", seed="stays")
    digests = [actor.push.image(seed=str(number)) for number in range(3)]
    actor.scan()
    age(actor)
    actor.push.image("since", seed="1")
    age(actor)

    row, _ = run(actor)

    assert ends(row) == {digests[0]: DONE, digests[2]: DONE}
    assert Presence.objects.filter(manifest__digest=digests[0], gone_at=None).count() == 0
    assert actor.pulls("since")
