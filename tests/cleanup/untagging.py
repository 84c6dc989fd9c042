"""Pushing, scanning and looking for what nothing reaches, and asking real clients what came of it."""

from __future__ import annotations

import os
import time
from datetime import timedelta

from django.utils import timezone

from catalog.models import Presence
from cleanup.models import UntaggedItem, UntaggedRun
from cleanup.untagged import services
from jobs import running
from jobs.models import Job
from tests.tagging.acting import Actor


def run(actor: Actor, *, grace_hours: int = 24, only_plan: bool = False) -> tuple[UntaggedRun, Job]:
    """To the end of its job, as a worker would."""
    row, job = services.begin(actor.row, actor.person, grace_hours=grace_hours, only_plan=only_plan)
    return finish(row, job)


def go_on(row: UntaggedRun, actor: Actor) -> tuple[UntaggedRun, Job]:
    return finish(*services.carry_on(row, actor.person))


def finish(row: UntaggedRun, job: Job) -> tuple[UntaggedRun, Job]:
    running.run(job.pk)
    job.refresh_from_db()
    return UntaggedRun.objects.select_related("registry").get(pk=row.pk), job


def ends(row: UntaggedRun) -> dict[str, str]:
    """The state of each item, by its digest; of one repository."""
    return dict(row.items.values_list("digest", "state"))


def notes(row: UntaggedRun) -> dict[str, str]:
    return dict(row.items.values_list("digest", "note"))


def age(actor: Actor, *digests: str, hours: int = 48) -> None:
    """As if these were pushed so long ago, and their last tag had gone then: all, where none is named."""
    at = time.time() - hours * 3600
    for link in actor.real.storage.glob(f"**/{actor.name}/_manifests/revisions/*/*/link"):
        if not digests or f"sha256:{link.parent.name}" in digests:
            os.utime(link, (at, at))
    places = Presence.objects.filter(repository__name=actor.name, repository__registry=actor.row)
    moment = timezone.now() - timedelta(hours=hours)
    for place in places.filter(manifest__digest__in=digests) if digests else places:
        Presence.objects.filter(pk=place.pk).update(
            first_seen=moment, gone_at=moment if place.gone_at is not None else None
        )


DONE, SKIPPED, FAILED, PLANNED = (
    UntaggedItem.State.DONE,
    UntaggedItem.State.SKIPPED,
    UntaggedItem.State.FAILED,
    UntaggedItem.State.PLANNED,
)
