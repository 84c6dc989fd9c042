"""The verbs of the catalog that others call: ask for a scan, and have read what was changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.models import EventStream
from catalog.models import Scan, Tag, Unread
from catalog.policy import next_scan_at, scan_every
from catalog.scan import KIND
from jobs import services as jobs
from jobs.models import Job
from registries.models import Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

_TITLE: Final = gettext_noop("Scan of %(name)s")
SENTENCES: Final = (_TITLE,)


def request_scan(
    registry: Registry, requested_by: AbstractBaseUser | None = None, *, thorough: bool = False
) -> tuple[Job, bool]:
    """The unfinished scan of this registry, and whether it is new: two never overlap.

    `thorough`: ask also whether the children of unchanged indexes are still there.
    """
    params = {"thorough": True} if thorough else {}
    title = _TITLE % {"name": registry.name}
    return jobs.queue(KIND, registry.job_subject, title, params=params, requested_by=requested_by)


def next_scan(registry: Registry) -> datetime:
    """When the next scan of a registry is due by itself."""
    scans = Scan.objects.filter(registry=registry).newest_first()
    last_event = EventStream.objects.filter(registry_id=registry.pk).values_list("last_at", flat=True).first()
    return next_after(registry, scans.first(), scans.complete().first(), last_event)


def next_after(
    registry: Registry, last: Scan | None, complete: Scan | None, last_event: datetime | None = None
) -> datetime:
    """The same, of its last scan, its last complete one and its last event; at once, where there was no scan."""
    if last is None:
        return registry.created_at
    took = max(scan.took for scan in (last, complete or last))
    # A clock may have been put back.
    return next_scan_at(min(last.started_at, timezone.now()), took, interval(complete, last_event))


def interval(complete: Scan | None, last_event: datetime | None) -> timedelta:
    """How often a registry is scanned, by its last complete scan and its last event."""
    changes = complete.new_tags + complete.moved_tags + complete.gone_tags if complete else 1
    return scan_every(last_event, changes, timezone.now())


def read_soon(registry: Registry, tags: Iterable[tuple[str, str]], now: datetime) -> None:
    """Have these tags of repositories read at the registry, since Berth itself has changed them."""
    Unread.objects.bulk_create(
        [Unread(registry=registry, repository=name, tag=tag, due_at=now) for name, tag in tags], ignore_conflicts=True
    )


def set_out_for(registry: Registry, tags: Iterable[tuple[str, str]]) -> None:
    """Berth is about to change these tags: a scan that has read them leaves them alone, and their events are ours."""
    by_repository: dict[str, list[str]] = {}
    for name, tag in tags:
        by_repository.setdefault(name, []).append(tag)
    for name, of_it in by_repository.items():
        rows = Tag.objects.filter(repository__registry=registry, repository__name=name, name__in=of_it)
        rows.update(acted_at=Now())


def queue_due_scans() -> None:
    now = timezone.now()
    for registry in Registry.objects.active():
        if next_scan(registry) <= now:
            request_scan(registry)
