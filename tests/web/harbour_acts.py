"""What people did in the harbour: plans in each state, the trash, the record, and what is protected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from access.models import User
from audit.models import Entry
from audit.services import record
from catalog.models import Presence, Repository, Tag, TagSpan
from jobs.models import Job
from oci.names import TagName, parse_repository
from tagging.models import Plan, PlanItem, ProtectionRule, TrashEntry
from tagging.planning import Asked, plan_images, plan_repository, plan_tags
from tagging.planning_copies import Target, plan_copy
from tests.web import furniture as make
from tests.web import harbour_told

_STATE = PlanItem.State


@dataclass(frozen=True)
class Acts:
    """The plans to look at."""

    planned: Plan
    images: Plan
    repository: Plan
    done: Plan
    broken: Plan
    copy: Plan


def build(api: Repository) -> Acts:
    person = make.person("voss", staff=True, first_name="Priya", last_name="Menon")
    asked = Asked(person, "built from the wrong branch")
    lead = api.presences.tagged().exclude(lead_tag="").order_by("-tag_count")[0]
    single = api.presences.tagged().filter(tag_count=1)[0]
    acts = Acts(
        planned=plan_tags(api, [lead.lead_tag, single.lead_tag], asked),
        images=plan_images(api, [lead.manifest.digest], asked),
        repository=plan_repository(Repository.objects.get(name="payments/ledger"), asked),
        done=_done(plan_tags(api, [lead.lead_tag, single.lead_tag], asked)),
        broken=_broken(plan_tags(api, [lead.lead_tag, single.lead_tag], asked)),
        copy=plan_copy(api, lead.manifest.digest, Target(parse_repository(api.name), TagName(single.lead_tag)), asked),
    )
    _history(api, lead)
    _trash(api, person)
    _record(api, person)
    harbour_told.build(api)
    ProtectionRule.objects.create(tags="v*", why="released", created_by=str(person))
    ProtectionRule.objects.create(registry=api.registry, repositories="platform/*", tags="stable")
    return acts


def _done(plan: Plan) -> Plan:
    items = list(plan.items.in_order())
    PlanItem.objects.filter(pk=items[0].pk).update(state=_STATE.DONE)
    note = "it points to another digest now: it was moved since this was planned"
    PlanItem.objects.filter(pk=items[1].pk).update(state=_STATE.SKIPPED, note=note)
    message = "Done: 1 of 2. Left alone: 1. Failed: 0."
    return _ended(plan, Plan.State.DONE, message, Job.State.DONE)


def _broken(plan: Plan) -> Plan:
    message = (
        "The registry refuses: DELETE v2/platform/api/manifests/sha256 was refused with 401: UNAUTHORIZED."
        " Done: 0 of 2. The rest is as it was."
    )
    return _ended(plan, Plan.State.BROKEN_OFF, message, Job.State.FAILED)


def _ended(plan: Plan, state: Plan.State, message: str, job_state: Job.State) -> Plan:
    now = timezone.now()
    title = "Deleting tags of platform/api"
    plan.job = make.job(
        plan.registry, job_state, kind="carry-out", subject=plan.job_subject, title=title, message=message,
        started_at=now, finished_at=now,
    )  # fmt: skip
    plan.state, plan.message, plan.began_at, plan.ended_at = state, message, now, now
    plan.save()
    return plan


def _history(api: Repository, lead: Presence) -> None:
    now = timezone.now()
    tag = Tag.objects.get(repository=api, name=lead.lead_tag)
    other = api.presences.exclude(pk=lead.pk).select_related("manifest")[0]
    TagSpan.objects.filter(tag=tag).delete()
    first = {"tag": tag, "repository": api, "manifest": other.manifest}
    TagSpan.objects.create(began=now - timedelta(days=3), ended=now - timedelta(days=1), **first)
    TagSpan.objects.create(tag=tag, repository=api, manifest=lead.manifest, began=now - timedelta(days=1))


def _trash(api: Repository, person: User) -> None:
    now = timezone.now()
    place = api.presences.tagged()[0]
    states = (*TrashEntry.State, "expired")
    for number, state in enumerate(states):
        is_expired = state == "expired"
        TrashEntry.objects.create(
            registry=api.registry,
            repository=api,
            tag=f"old-{number}" if number else "",
            digest=place.manifest.digest,
            kind=place.manifest.kind,
            size=place.size,
            how=TrashEntry.How.DIGEST if state == TrashEntry.State.AT_RISK else TrashEntry.How.UNTAGGED,
            who=str(person),
            why="nobody runs it",
            deleted_at=now - timedelta(hours=number),
            until=now + (timedelta(0) if is_expired else timedelta(days=13)),
            state=TrashEntry.State.UNCHECKED if is_expired else state,
        )


def _record(api: Repository, person: User) -> None:
    place = api.presences.tagged()[0]
    act = Entry.Act
    for number, (what, outcome) in enumerate(
        [
            (act.DELETE_TAG, Entry.Outcome.DONE),
            (act.RESTORE, Entry.Outcome.SKIPPED),
            (act.RETAG, Entry.Outcome.FAILED),
            (act.BREACH_MOVE, Entry.Outcome.DONE),
            (act.PROTECT, Entry.Outcome.DONE),
        ]
    ):
        is_breach, is_rule = what == act.BREACH_MOVE, what == act.PROTECT
        where: dict[str, Any] = {} if is_rule else {"repository": api.name, "tag": place.lead_tag}
        record(
            [
                Entry(
                    key=f"{'breach:' if is_breach else ''}harbour-{number}",
                    act=what,
                    outcome=outcome,
                    actor="" if is_breach else str(person),
                    registry=api.registry.name,
                    registry_id=api.registry_id,
                    digest_before="" if is_rule else place.manifest.digest,
                    detail="v*" if is_rule else "it is protected by the rule platform/*:stable",
                    **where,
                )
            ]
        )
