from __future__ import annotations

import shutil
import urllib.request
from contextlib import ExitStack
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import User
from audit.models import Entry
from catalog.models import Blob, Repository, Tag, TagSpan, Throwaway
from catalog.versions import tag_key
from jobs import running
from jobs.models import Job
from jobs.services import stop
from tagging import services
from tagging.models import Plan, PlannedImage, TrashEntry
from tagging.planning import Asked, plan_tags
from tests.catalog.picture import check_counters
from tests.hostile import Reply
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate
from tests.web import furniture as make

ALIASES = [f"1.{n}" for n in range(8)]


def test_of_eight_tags_on_one_digest_one_goes_and_seven_still_pull(actor: Actor) -> None:
    digest = actor.push.image(*ALIASES)
    actor.scan()

    plan = actor.carry_out(actor.plan_tags("1.3", why="wrong name"))

    rest = set(ALIASES) - {"1.3"}
    assert (plan.state, actor.outcomes(plan)) == (Plan.State.DONE, {"1.3": "done"})
    assert actor.listed() == actor.live() == rest
    assert {actor.digest(tag) for tag in rest} == {digest}
    assert all(actor.pulls(tag) for tag in sorted(rest))
    check_counters()
    (entry,) = Entry.objects.all()
    assert (entry.act, entry.tag, entry.outcome) == ("delete-tag", "1.3", "done")
    assert (entry.actor, entry.digest_before, entry.why) == ("mara", digest, "wrong name")
    assert TagSpan.objects.get(tag__name="1.3").ended is not None


def test_of_an_index_too_and_its_children_stay(actor: Actor) -> None:
    children = [actor.push.image(platform=f"linux/{name}") for name in ("amd64", "arm64", "arm", "s390x")]
    actor.push.index("2", "2.0", "latest", children=children)
    actor.scan()

    plan = actor.carry_out(actor.plan_tags("2"))

    assert plan.state == Plan.State.DONE
    assert actor.listed() == actor.live() == {"2.0", "latest"}
    assert actor.pulls("latest")
    check_counters()


def test_a_scan_afterwards_finds_nothing_new(actor: Actor) -> None:
    actor.push.image("1", "2")
    actor.push.image("3", seed="3")
    actor.scan()
    actor.carry_out(actor.plan_tags("1", "3"))
    before = list(Tag.objects.order_by("id").values("name", "gone_at", "moved_at"))

    actor.scan()

    assert list(Tag.objects.order_by("id").values("name", "gone_at", "moved_at")) == before
    assert not Throwaway.objects.filter(closed_at=None).exists()
    check_counters()


def test_a_tag_that_moved_since_is_left_alone(actor: Actor) -> None:
    actor.push.image("1", "2")
    actor.scan()
    plan = actor.plan_tags("1", "2")
    moved = actor.push.image("1", seed="newer")

    actor.carry_out(plan)

    assert actor.outcomes(plan) == {"1": "skipped", "2": "done"}
    assert "moved since" in actor.notes(plan).pop()
    assert actor.listed() == {"1"}
    assert actor.gets(moved)
    assert [entry.tag for entry in actor.trash()] == ["2"]
    assert plan.message == "Done: 1 of 2. Left alone: 1. Failed: 0."


def test_many_tags_go_in_chunks_and_no_other(actor: Actor) -> None:
    names = [f"t{n:03}" for n in range(120)]
    actor.push.image(*names[:60])
    actor.push.image(*names[60:], seed="second")
    actor.scan()

    plan = actor.carry_out(actor.plan_tags(*names[:110]))

    assert plan.job is not None
    assert plan.job.state == "queued"  # of a size that a worker does
    from jobs import running

    running.run(plan.job.pk)
    plan.refresh_from_db()
    assert plan.message == "Done: 110 of 110."
    assert actor.listed() == actor.live() == set(names[110:])
    assert len(actor.entries(plan)) == 110
    check_counters()


def test_a_tag_whose_manifest_is_gone_can_be_deleted(actor: Actor) -> None:
    digest = actor.push.image("1")
    actor.push.image("2", seed="2")
    actor.scan()
    hex_ = digest.removeprefix("sha256:")
    shutil.rmtree(actor.real.storage / f"docker/registry/v2/blobs/sha256/{hex_[:2]}/{hex_}")
    revision = f"docker/registry/v2/repositories/team/app/_manifests/revisions/sha256/{hex_}"
    shutil.rmtree(actor.real.storage / revision)

    plan = actor.carry_out(actor.plan_tags("1"))

    assert actor.outcomes(plan) == {"1": "done"}
    assert actor.listed() == {"2"}


def test_a_tag_that_no_scan_could_read_can_be_deleted(actor: Actor) -> None:
    actor.push.image("torn", "whole")
    link = "docker/registry/v2/repositories/team/app/_manifests/tags/torn/current/link"
    (actor.real.storage / link).write_bytes(b"")
    actor.scan()

    plan = actor.carry_out(actor.plan_tags("torn"))

    assert actor.outcomes(plan) == {"torn": "done"}, actor.notes(plan) | {plan.message}
    assert actor.listed() == {"whole"}


def test_a_tag_that_was_torn_since_leaves_no_other_half_deleted(actor: Actor) -> None:
    """To delete a digest 2.8 reads every tag, and stops at this one when the manifest has gone already."""
    digest = actor.push.image("1", "torn", "3")
    actor.scan()
    plan = actor.plan_tags("1", "torn", "3")
    link = "docker/registry/v2/repositories/team/app/_manifests/tags/torn/current/link"
    (actor.real.storage / link).write_bytes(b"")

    actor.carry_out(plan)

    end = "failed" if actor.overwrites else "done"
    assert actor.outcomes(plan) == {"1": end, "torn": "skipped", "3": end}
    assert "it cannot be read now" in " ".join(actor.notes(plan))
    assert actor.listed() == ({"1", "torn", "3"} if actor.overwrites else {"torn"})
    assert actor.throwaways("torn") == 0
    if actor.overwrites:
        assert "delete such a tag first" in plan.message
        assert actor.push_digest("1") == actor.push_digest("3") == digest
        assert actor.pulls("1")
    actor.scan()
    again = actor.carry_out(actor.plan_tags(*actor.live()))
    assert set(actor.outcomes(again).values()) == {"done"}, actor.notes(again) | {again.message}
    assert actor.listed() == set()


def test_it_is_the_act_of_whoever_says_yes(actor: Actor) -> None:
    actor.push.image("1", "2")
    actor.scan()
    plan = actor.plan_tags("1")
    other = make.person("ana", staff=True)

    services.carry_out(plan, other)

    assert Entry.objects.get().actor == "ana"
    assert actor.trash()[0].who == "ana"
    services.carry_out(plan, actor.person)  # it is done: nobody else has done it
    plan.refresh_from_db()
    assert plan.actor == "ana"


def test_a_tag_that_another_plan_deleted_long_ago_and_was_pushed_since_is_ours(gate: Gate, gated: Actor) -> None:
    gated.push.image("1", "2", "3")
    gated.scan()
    first, other = gated.plan_tags("1", "2"), gated.plan_tags("2")
    gate.refuse(after=1, method="GET", reply=Reply(404, b"404 page not found"))
    gated.carry_out(first)
    gate.open()
    assert gated.outcomes(first) == {"1": "done", "2": "planned"}
    gated.carry_out(other)
    TrashEntry.objects.filter(plan=other).update(deleted_at=timezone.now() - timedelta(minutes=2))
    Plan.objects.filter(pk=first.pk).update(began_at=timezone.now() - timedelta(minutes=3))
    gated.push.image("2")
    gated.scan()

    gated.carry_out(first)

    assert gated.listed() == gated.live() == {"3"}
    assert gated.outcomes(first) == {"1": "done", "2": "done"}, gated.notes(first)
    assert [entry.tag for entry in gated.trash() if entry.plan_id == first.pk] == ["2", "1"]


def test_a_plan_that_waits_for_a_worker_is_not_forgotten(actor: Actor) -> None:
    place = make.put(make.repository(actor.row, "team/large"), make.image())
    names = [f"t{n:02}" for n in range(services.SMALL + 1)]
    Tag.objects.bulk_create(
        [Tag(repository=place.repository, name=name, key=tag_key(name), presence=place) for name in names]
    )
    plan = plan_tags(place.repository, names, Asked(actor.person))
    Plan.objects.update(created_at=timezone.now() - timedelta(days=8))
    job = services.carry_out(plan, actor.person)

    services.forget()
    assert not services.give_up(plan.pk)
    assert Plan.objects.filter(pk=plan.pk).exists()

    stop(job)
    services.forget()
    assert not Plan.objects.exists()


def test_a_plan_that_has_many_tags_to_read_is_a_worker_s(actor: Actor) -> None:
    digest = actor.push.image("1")
    actor.scan()
    Repository.objects.update(tag_count=5_000)
    plan = actor.plan_images(digest)

    job = services.carry_out(plan, actor.person)

    assert job.state == "queued"


def test_an_index_with_missing_children_can_be_deleted(actor: Actor) -> None:
    children = [actor.push.image(), actor.push.image(platform="linux/arm64")]
    actor.push.index("broken", "other", children=children)
    request = urllib.request.Request(f"{actor.real.url}/v2/team/app/manifests/{children[0]}", method="DELETE")
    urllib.request.urlopen(request, timeout=10).close()
    actor.scan()

    plan = actor.carry_out(actor.plan_tags("broken"))

    assert actor.outcomes(plan) == {"broken": "done"}
    assert actor.listed() == {"other"}


def test_a_plan_says_what_stays_and_what_it_frees(actor: Actor) -> None:
    shared = b"base" * 1000
    actor.push.image("1.0", "1", "latest", layers=[shared, b"one" * 5000])
    actor.push.image("2.0", layers=[shared, b"two"], seed="2")
    actor.scan()

    some = actor.plan_tags("1.0")
    every = actor.plan_tags("1.0", "1", "latest")

    image = PlannedImage.objects.get(plan=some)
    assert (image.going, image.staying, image.stays) == (1, 2, ["latest", "1"])
    assert some.frees == 0
    place = actor.repository.presences.get(lead_tag="1.0")
    (base,) = _blobs(actor, "1.0") & _blobs(actor, "2.0")
    assert every.frees == place.size - base.size
    assert every.frees_is_exact


def test_nobody_finds_a_large_plan_before_it_is_whole(actor: Actor, staff: User) -> None:
    place = make.put(make.repository(actor.row, "team/large"), make.image())
    names = [f"t{n:04}" for n in range(1_200)]
    Tag.objects.bulk_create(
        [Tag(repository=place.repository, name=name, key=tag_key(name), presence=place) for name in names]
    )

    with CaptureQueriesContext(connection) as asked:
        plan = plan_tags(place.repository, names, Asked(staff, key="by-this"))

    assert plan.items.count() == 1_200
    written = [query["sql"] for query in asked if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))]
    assert "by-this" in written[-1]
    assert "by-this" not in "".join(written[:-1])


def _blobs(actor: Actor, tag: str) -> set[Blob]:
    place = actor.repository.presences.get(lead_tag=tag)
    return {use.blob for use in place.manifest.manifest_blobs.all()}


def test_who_comes_while_others_wait_for_theirs_gets_a_job(actor: Actor) -> None:
    """What is carried out in the threads that serve pages leaves some of them to serve pages."""
    actor.push.image("1", "2")
    actor.scan()
    plan = actor.plan_tags("1")
    with ExitStack() as others:
        while services._HERE.acquire(blocking=False):
            others.callback(services._HERE.release)
        job = services.carry_out(plan, actor.person)
        assert (job.state, actor.listed()) == (Job.State.QUEUED, {"1", "2"})
    running.run(job.pk)

    assert actor.listed() == {"2"}


def test_a_repository_is_left_settled_unless_somebody_else_had_not_come_to_the_end(actor: Actor) -> None:
    actor.push.image("1", "2", "3")
    actor.scan()
    for tag, is_settled in (("1", True), ("2", False)):
        Repository.objects.update(is_settled=is_settled)

        actor.carry_out(actor.plan_tags(tag))

        assert actor.repository.is_settled is is_settled
