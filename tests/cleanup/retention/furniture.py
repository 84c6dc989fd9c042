"""Rows of retention as a test needs them: a registry that was scanned, images of an age, policies and their runs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.utils import timezone

from catalog.models import Presence, Repository, Scan, Tag
from cleanup.models import Policy, RetentionRun
from cleanup.retention import services
from jobs import running
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make

DAY = timedelta(days=1)


def scanned(where: Registry, **more: Any) -> Scan:
    now = timezone.now()
    values = {"started_at": now - timedelta(minutes=2), "finished_at": now - timedelta(minutes=1), "complete": True}
    return Scan.objects.create(registry=where, **(values | more))


def policy(where: Registry, name: str = "all", *rules: dict[str, Any], **more: Any) -> Policy:
    said: dict[str, Any] = {"repositories": more.pop("repositories", ["*"]), "rules": list(rules)}
    for part in {"aliases", "may_empty", "uses_created", "schedule"} & set(more):
        said[part] = more.pop(part)
    return Policy.objects.create(registry=where, name=name, terms=said, **{"position": 1, **more})


def aged(where: Repository, days: float, *tags: str, layers: Collection[tuple[str, int]] = (), **more: Any) -> Presence:
    """An image that was linked so many days ago, as the storage folder says; by default its layer is its own."""
    image = make.image(list(layers) or [(f"{where.pk} {tags}", 1_000)], more={"annotations": {"of": str(tags)}})
    place = make.put(where, image, *tags, **more)
    age(place, days)
    return place


def age(place: Presence, days: float) -> None:
    linked = timezone.now() - days * DAY
    Tag.objects.filter(presence=place).update(link_ns=int(linked.timestamp()) * 10**9, moved_at=linked)


def carried_out(where: Registry, *, only_plan: bool = False, **more: Any) -> RetentionRun:
    """Begun and carried out where the test stands, as the command does."""
    run, job = services.begin(where, only_plan=only_plan, here=True, **more)
    running.run_here(job.pk)
    return RetentionRun.objects.select_related("job", "registry").get(pk=run.pk)


def job_of(run: RetentionRun) -> Job:
    assert run.job_id is not None
    return Job.objects.get(pk=run.job_id)


def ends(run: RetentionRun) -> dict[str, str]:
    return dict(run.tags.values_list("tag", "state"))


def notes(run: RetentionRun) -> dict[str, str]:
    return dict(run.tags.exclude(note="").values_list("tag", "note"))
