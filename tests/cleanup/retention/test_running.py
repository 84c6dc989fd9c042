"""Retention in a real registry: what was planned goes, all else stays and pulls, and never more than was agreed to."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Repository, Tag
from cleanup.models import Policy, RetentionRun, RunRepository, RunTag
from cleanup.retention import services
from cleanup.retention.running import end_abandoned
from jobs import running
from jobs import services as jobs
from jobs.models import Job
from registries.models import Registry
from tagging import services as tagging
from tagging.course import MOVED
from tagging.models import Plan, ProtectionRule, TrashEntry
from tagging.planning import plan_tags_by_rule
from tests.cleanup.retention.furniture import DAY, aged, carried_out, ends, job_of, notes, policy, scanned
from tests.hostile import Hostile, Reply
from tests.real_registry import RealRegistry, binary, generations
from tests.sync.syncing import meanwhile
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
NEWEST = {"tags": ["1.*"], "newest": 8}


def pushed(actor: Actor, days: dict[str, int]) -> None:
    """Images with these tags, so many days ago, and scanned."""
    for tag in days:
        actor.push.image(tag, seed=tag)
    actor.scan()
    date(days)


def date(days: dict[str, int]) -> None:
    for tag, ago in days.items():
        linked = timezone.now() - ago * DAY
        Tag.objects.filter(name=tag).update(link_ns=int(linked.timestamp()) * 10**9)


TEN = {f"1.{n}": 20 - n for n in range(10)}


def again(run: RetentionRun) -> RetentionRun:
    """As a worker would after an answer."""
    running.run_here(job_of(run).pk)
    return RetentionRun.objects.get(pk=run.pk)


@pytest.mark.parametrize("real", generations(), indirect=True)
def test_what_is_doomed_goes_to_the_trash_and_all_else_pulls(actor: Actor) -> None:
    digest = actor.push.image("1.0", "alias-of-doomed", seed="1.0")
    actor.push.image(digest.replace(":", "-") + ".sig", seed="signature")
    actor.push.image("1.9", "latest", seed="1.9")
    pushed(actor, TEN)
    policy(actor.row, "app", NEWEST, {"tags": ["alias-*"]})

    plan = carried_out(actor.row, only_plan=True)
    assert (plan.state, plan.doomed, plan.repositories) == (RetentionRun.State.PLANNED, 4, 1)
    assert actor.listed() == actor.live() == {*TEN, "alias-of-doomed", "latest", digest.replace(":", "-") + ".sig"}
    running.run_here(services.carry_on(plan, allow=True, here=True).pk)
    run = RetentionRun.objects.get(pk=plan.pk)

    assert (run.state, run.message) == (RetentionRun.State.DONE, "4 tags deleted, 9 stay.")
    assert actor.listed() == actor.live() == {*TEN, "latest"} - {"1.0", "1.1"}
    assert all(actor.pulls(tag) for tag in ("1.2", "1.9", "latest"))
    assert set(ends(run).values()) == {RunTag.State.DONE}
    assert {entry.tag for entry in TrashEntry.objects.listed()} == set(ends(run))
    made = Plan.objects.get()
    assert (made.actor, made.why, made.frees) == ("app", "retention, by the policy app", run.frees)
    assert carried_out(actor.row).doomed == 0


def test_too_much_takes_a_yes_and_the_rest_is_done_before(actor: Actor) -> None:
    pushed(actor, TEN)
    other = Actor(actor.real, actor.row, actor.person, "team/small")
    for tag in ("1.0", "1.1"):
        other.push.image(tag, seed=tag)
    actor.scan()
    date({**TEN, "1.0": 30})
    policy(actor.row, "small", {"tags": ["*"], "newest": 1}, repositories=["team/small"], may_empty=True)
    Policy.objects.update(terms={"repositories": ["team/small"], "rules": [{"tags": ["1.*"]}], "may_empty": True})
    policy(actor.row, "app", NEWEST, position=2)

    run = carried_out(actor.row)

    assert (run.state, job_of(run).state) == (RetentionRun.State.ASKING, Job.State.ASKING)
    assert job_of(run).question["text"].endswith(": 1. Delete these 2 tags?")
    assert "team/small" in job_of(run).question["details"][0]
    assert (len(actor.listed()), other.listed()) == (8, {"1.0", "1.1"})
    assert services.begin(actor.row)[0] == run
    assert services.allow(run, actor.person)
    run = again(run)
    assert (run.state, other.live(), len(actor.listed())) == (RetentionRun.State.DONE, set(), 8)


def test_no_leaves_what_was_asked_for(actor: Actor) -> None:
    pushed(actor, TEN)
    policy(actor.row, "app", {"tags": ["*"], "newest": 2})
    run = carried_out(actor.row)
    assert run.state == RetentionRun.State.ASKING

    jobs.answer(job_of(run), yes=False)
    end_abandoned()

    run.refresh_from_db()
    assert (run.state, actor.listed()) == (RetentionRun.State.DONE, set(TEN))
    assert set(notes(run).values()) == {"nobody agreed to delete so many"}


def test_what_changed_since_the_plan_is_left_alone(actor: Actor) -> None:
    tags = {f"1.{n:02}": 40 - n for n in range(30)}
    pushed(actor, tags)
    row = policy(actor.row, "app", {"tags": ["*"], "newest": 25})
    run = carried_out(actor.row, only_plan=True)
    assert set(ends(run)) == {"1.00", "1.01", "1.02", "1.03", "1.04"}
    ProtectionRule.objects.create(registry=actor.row, tags="1.00")
    actor.push.image("1.01", seed="moved")
    actor.push.image("1.02", seed="moved too")
    actor.delete_from_outside(actor.digest("1.03"))
    Tag.objects.filter(name="1.03").update(gone_at=timezone.now())
    Tag.objects.filter(name="1.02").update(acted_at=timezone.now())

    running.run_here(services.carry_on(run, here=True).pk)

    run = RetentionRun.objects.get(pk=run.pk)
    assert (run.state, ends(run)["1.04"]) == (RetentionRun.State.DONE, RunTag.State.DONE)
    assert notes(run) == {
        "1.00": "it would be kept now: it is protected by the rule *:1.00",
        "1.01": MOVED,
        "1.02": "it would be kept now: it is being written just now",
        "1.03": "it is gone already",
    }
    assert {"1.00", "1.01", "1.02"} <= actor.listed()
    assert row.is_on


def test_a_policy_that_was_removed_since_the_plan_dooms_nothing_any_more(actor: Actor) -> None:
    pushed(actor, TEN)
    row = policy(actor.row, "app", NEWEST)
    run = carried_out(actor.row, only_plan=True)
    row.delete()

    running.run_here(services.carry_on(run, here=True).pk)

    run.refresh_from_db()
    assert (actor.listed(), run.state) == (set(TEN), RetentionRun.State.DONE)
    assert set(notes(run).values()) == {"no policy decides on the repository any more"}


@pytest.mark.parametrize("change", [{"is_settled": False}, {"state": Repository.State.FAILED, "problem": "500"}])
def test_a_repository_that_cannot_be_read_since_the_plan_is_left_alone(actor: Actor, change: dict[str, Any]) -> None:
    pushed(actor, TEN)
    policy(actor.row, "app", NEWEST)
    run = carried_out(actor.row, only_plan=True)
    Repository.objects.update(**change)

    running.run_here(services.carry_on(run, here=True).pk)

    assert actor.listed() == set(TEN)
    assert set(ends(run).values()) == {RunTag.State.SKIPPED}


def test_hours_are_kept_to(actor: Actor) -> None:
    pushed(actor, TEN)
    now = timezone.now()
    closed = {"when": "every", "every": 60, "window": f"{now + 2 * timedelta(hours=1):%H:%M}-{now - DAY / 8:%H:%M}"}
    row = policy(actor.row, "app", NEWEST, schedule=closed, next_at=now - DAY)

    services.queue_due(now)
    run = RetentionRun.objects.get()
    again(run)

    run.refresh_from_db()
    assert (run.state, run.policies, actor.listed()) == (RetentionRun.State.WAITING, [row.pk], set(TEN))
    assert run.resumes_at is not None
    assert timedelta(hours=1) < run.resumes_at - now <= timedelta(hours=2)
    row.refresh_from_db()
    assert row.next_at is not None
    row.terms["schedule"] = {"when": "every", "every": 60}
    row.save()
    services.queue_due(run.resumes_at)
    run.refresh_from_db()
    assert again(run).state == RetentionRun.State.DONE
    assert len(actor.listed()) == 8


def test_a_registry_that_refuses_is_not_asked_for_ever_and_all_can_be_gone_on_with(actor: Actor) -> None:
    pushed(actor, TEN)
    policy(actor.row, "app", NEWEST)
    url = actor.row.url
    run = carried_out(actor.row, only_plan=True)
    Registry.objects.update(url="http://127.0.0.1:9")

    running.run_here(services.carry_on(run, here=True).pk)
    run.refresh_from_db()
    assert run.state == RetentionRun.State.BROKEN_OFF
    assert "cannot be asked" in run.message
    assert set(ends(run).values()) == {RunTag.State.PLANNED}

    Registry.objects.update(url=url)
    running.run_here(services.carry_on(run, here=True).pk)
    run.refresh_from_db()
    assert (run.state, len(actor.listed())) == (RetentionRun.State.DONE, 8)


def test_a_stop_ends_between_two_plans_and_the_rest_can_be_gone_on_with(actor: Actor, hostile: Hostile) -> None:
    other = Actor(actor.real, actor.row, actor.person, "team/other")
    for tag in TEN:
        other.push.image(tag, seed=tag)
    pushed(actor, TEN)
    policy(actor.row, "app", NEWEST)
    gate = Gate(hostile, actor.real)
    Registry.objects.update(url=gate.url)
    run, job = services.begin(actor.row, here=True)
    gate.meanwhile("DELETE", lambda: meanwhile(lambda: services.stop(run, actor.person)))

    running.run_here(job.pk)

    run.refresh_from_db()
    assert (run.state, job_of(run).state) == (RetentionRun.State.BROKEN_OFF, Job.State.STOPPED)
    assert run.message == "Stopped. 2 tags were deleted; the rest can be gone on with."
    assert (len(actor.listed()), len(other.listed())) == (8, 10)
    running.run_here(services.carry_on(run, here=True).pk)
    run.refresh_from_db()
    assert (run.state, len(actor.listed()), len(other.listed())) == (RetentionRun.State.DONE, 8, 8)


def test_a_plan_whose_worker_died_is_followed_to_its_end(actor: Actor) -> None:
    pushed(actor, TEN)
    policy(actor.row, "app", NEWEST)
    run = carried_out(actor.row, only_plan=True)
    plan = plan_tags_by_rule(actor.repository, {"1.0": actor.digest("1.0")}, "app", "why")
    theirs = tagging.carry_out_by_rule(plan, here=True)
    running.claim(theirs.pk)
    Job.objects.filter(pk=theirs.pk).update(leased_until=timezone.now() - timedelta(minutes=1))
    run.tags.filter(tag="1.0").update(state=RunTag.State.BEGUN, plan=plan)

    running.run_here(services.carry_on(run, here=True).pk)

    run.refresh_from_db()
    assert notes(run) == {}
    assert (run.state, set(ends(run).values())) == (RetentionRun.State.DONE, {RunTag.State.DONE})
    assert run.tags.get(tag="1.0").plan == plan
    assert len(actor.listed()) == 8


def test_what_failed_is_said_and_is_tried_again(actor: Actor) -> None:
    pushed(actor, TEN)
    policy(actor.row, "app", NEWEST)
    actor.real.__exit__()
    with RealRegistry(actor.real.folder, deletes=False) as off:
        Registry.objects.update(url=off.url)
        run = carried_out(actor.row)
        assert (run.state, run.message) == (RetentionRun.State.DONE, "0 tags deleted, 0 left alone, 2 failed, 8 stay.")
        assert "Deletes are off at this registry." in notes(run)["1.0"]
        assert run.places.get().state == RunRepository.State.FAILED
        assert actor.live() == set(TEN)
    with RealRegistry(actor.real.folder) as on:
        Registry.objects.update(url=on.url)
        running.run_here(services.carry_on(run, here=True).pk)
    run.refresh_from_db()
    assert (run.state, run.message) == (RetentionRun.State.DONE, "2 tags deleted, 8 stay.")
    assert set(ends(run).values()) == {RunTag.State.DONE}


def test_what_a_plan_frees_is_what_a_sweep_of_the_registry_frees(actor: Actor) -> None:
    other = Actor(actor.real, actor.row, actor.person, "team/other")
    base = b"shared" * 1_000
    for tag in TEN:
        actor.push.image(tag, layers=(base, tag.encode() * 500), seed=tag)
    child = actor.push.image(layers=(base, b"child" * 900), seed="child")
    actor.push.index("2.0", children=[child])
    other.push.image("keep", layers=(b"1.0" * 500,), seed="other")
    actor.scan()
    date({**TEN, "2.0": 90})
    policy(actor.row, "app", {"tags": ["*"], "newest": 8}, repositories=["team/app"])

    run = carried_out(actor.row, allow=True)
    assert (run.doomed, run.frees_is_exact) == (3, True)
    before = blobs(actor)
    line = [str(binary("2.8")), "garbage-collect", "--delete-untagged", str(actor.real.folder / "config.yml")]
    subprocess.run(line, check=True, capture_output=True)

    gone = {digest: content for digest, content in before.items() if digest not in blobs(actor)}
    sizes = [len(content) for content in gone.values() if b"schemaVersion" not in content]
    assert sum(sizes) == run.frees > 0
    assert all(actor.pulls(tag) for tag in ("1.2", "1.9"))
    assert other.pulls("keep")


def blobs(actor: Actor) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in actor.real.storage.rglob("blobs/sha256/*/*/data")}


def test_one_of_two_runs_in_a_registry_is_the_other(actor: Actor) -> None:
    pushed(actor, TEN)
    policy(actor.row, "app", NEWEST)

    run, job = services.begin(actor.row)
    assert services.begin(actor.row, actor.person, only_plan=True) == (run, job)
    assert services.stop(run, actor.person)
    end_abandoned()
    run.refresh_from_db()
    assert run.state == RetentionRun.State.BROKEN_OFF
    assert RunRepository.objects.count() == 0


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Mon, 01 Jan 2024 00:00:00 GMT", "The clock of the registry and that of Berth differ by"),
        ("yesterday", "The registry does not say what time it is"),
    ],
)
def test_where_clocks_differ_nothing_is_planned(transactional_db: None, hostile: Hostile, said: str, why: str) -> None:
    version = {"Docker-Distribution-Api-Version": "registry/2.0", "Date": said}
    hostile.on("GET", "/v2/", Reply(200, b"{}", {"Content-Type": "application/json", **version}))
    registry = Registry.objects.create(name="odd", url=hostile.url)
    scanned(registry)
    policy(registry, "all", {"tags": ["*"]})
    aged(make.repository(registry), 9, "a")

    run = carried_out(registry)

    assert (run.state, run.planned_at) == (RetentionRun.State.BROKEN_OFF, None)
    assert run.message.startswith(why)
