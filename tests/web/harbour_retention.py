"""Policies and runs of retention for the walk: a plan, one that asks, one that is done, one that broke off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from catalog.models import Repository
from cleanup.models import Policy, RetentionRun, RunRepository, RunTag
from cleanup.retention.planning import packed
from cleanup.retention.reasons import Reason, Verdict, Why
from cleanup.retention.terms import Terms
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make

_RELEASES: Final[dict[str, Any]] = {
    "tags": ["1.*", "2.*", "!*-rc*"],
    "newest_versions": 3,
    "line": "minor",
    "pulled_within": 30,
}
_BRANCHES: Final[dict[str, Any]] = {"tags": ["main-*"], "newest": 10, "younger_than": 14}
_RULES: Final[list[dict[str, Any]]] = [_RELEASES, _BRANCHES, {"tags": ["pr-*"]}]
_DAILY: Final = {"when": "cron", "cron": "30 4 * * *", "zone": "Asia/Seoul", "window": "02:00-06:00"}


@dataclass(frozen=True)
class RetentionRuns:
    """Each in another state."""

    planned: RetentionRun
    asking: RetentionRun
    done: RetentionRun
    broken: RetentionRun


def build(where: Registry) -> RetentionRuns:
    policy(where, "platform", *_RULES, repositories=["platform/*", "!platform/prod"], schedule=_DAILY)
    policy(where, "ml", {"tags": ["*"], "newest": 5}, repositories=["ml/*"], position=2, aliases="judged")
    policy(where, "everything-else", repositories=["*"], position=3, is_on=False)
    api = Repository.objects.get(registry=where, name="platform/api")
    job = make.job(where, Job.State.ASKING, kind="retention", title="Retention in local", question=_question())
    asking = run(where, RetentionRun.State.ASKING, job=job, message="It waits for an answer.")
    tags(place(asking, api, needs_yes=True), "1.19.0", "1.19.1")
    settle(asking)
    done = run(where, RetentionRun.State.DONE, message="2 tags deleted, 1 left alone, 1 failed, 3 stay.")
    at = place(done, api, state=RunRepository.State.FAILED, note="GET v2/ was refused with 500")
    tags(at, "1.17.0", "1.17.1", state=RunTag.State.DONE)
    tags(at, "1.18.0", state=RunTag.State.SKIPPED, note="it points to another image than when this was planned")
    tags(at, "1.18.1", state=RunTag.State.FAILED, note="GET v2/ was refused with 500")
    settle(done)
    broken = run(where, RetentionRun.State.BROKEN_OFF, message="The registry does not say what time it is.")
    planned = run(where, RetentionRun.State.PLANNED)
    tags(
        place(planned, api, needs_yes=True),
        "1.19.0",
        "1.19.1",
        "1.20.0",
        "main-8c1f20e",
        "a-tag-that-is-as-long-as-any-that-somebody-once-made-rc.1",
    )
    place(planned, Repository.objects.get(registry=where, name="ml/embedder"), policy="ml", frees=0)
    left_out(planned, Repository.objects.get(registry=where, name="legacy/reports"))
    settle(planned)
    return RetentionRuns(planned, asking, done, broken)


def policy(where: Registry, name: str = "app", *rules: dict[str, Any], **more: Any) -> Policy:
    said: dict[str, Any] = {"repositories": more.pop("repositories", ["*"]), "rules": list(rules)}
    for part in {"aliases", "may_empty", "uses_created", "schedule"} & set(more):
        said[part] = more.pop(part)
    values = {"terms": Terms.read(said).written(), "position": 1, "created_by": "mara"}
    return Policy.objects.create(registry=where, name=name, **{**values, **more})


def run(where: Registry, state: RetentionRun.State, **more: Any) -> RetentionRun:
    now = timezone.now()
    values: dict[str, Any] = {"actor": "mara", "frees": 1_420_000_000, "frees_is_exact": True}
    if state != RetentionRun.State.BROKEN_OFF:
        values["planned_at"] = now - timedelta(minutes=20)
    if state not in {RetentionRun.State.PLANNED, RetentionRun.State.NEW}:
        values["began_at"] = now - timedelta(minutes=12)
    if state in {RetentionRun.State.DONE, RetentionRun.State.BROKEN_OFF}:
        values["ended_at"] = now - timedelta(minutes=9)
    return RetentionRun.objects.create(registry=where, state=state, **{**values, **more})


def place(of: RetentionRun, repository: Repository, **more: Any) -> RunRepository:
    kept = [
        *(Verdict(f"1.27.{number}", "", (Reason(Why.NEWEST_VERSION, "1.27", 0),)) for number in range(3)),
        Verdict("latest", "", (Reason(Why.UNSPOKEN),)),
        Verdict("stable", "", (Reason(Why.ALIAS, "1.27.2"),)),
        Verdict("main-1a2b3c4", "", (Reason(Why.MAYBE_NEWEST, "10", 1),)),
    ]
    values = {"policy": "platform", "kept": len(kept), "kept_tags": packed(kept), "frees": 1_200_000_000}
    return RunRepository.objects.create(run=of, repository=repository, name=repository.name, **{**values, **more})


def left_out(of: RetentionRun, repository: Repository) -> RunRepository:
    why = "its last scan could not read it: GET v2/legacy/reports/tags/list was refused with 500: UNKNOWN unknown error"
    state = RunRepository.State.LEFT_OUT
    return place(of, repository, policy="platform", kept=0, kept_tags=b"", frees=0, state=state, note=why)


def tags(at: RunRepository, *names: str, **more: Any) -> None:
    for name in names:
        digest = make.digest_of(name.encode())
        RunTag.objects.create(run=at.run, place=at, tag=name, digest=digest, **{"rule": 0, **more})
    at.doomed = at.tags.count()
    at.save(update_fields=["doomed"])


def settle(of: RetentionRun) -> None:
    """Its sums are those of its repositories."""
    places = list(of.places.all())
    of.left_out = sum(one.state == RunRepository.State.LEFT_OUT for one in places)
    of.repositories = len(places) - of.left_out
    of.kept, of.doomed = sum(one.kept for one in places), sum(one.doomed for one in places)
    of.save()


def _question() -> dict[str, Any]:
    text = "Repositories of which more than a fifth of the tags would go, or all: 1. Delete these 2 tags?"
    details = ["Among them: platform/api.", "With yes they go to the trash, from which they can be restored."]
    return {"kind": "retention", "text": text, "details": details, "yes": "Yes, delete them", "no": "No, keep them"}
