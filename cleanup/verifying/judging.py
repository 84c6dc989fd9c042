"""Whether a fault that a check found was known before the last sweep, or that sweep may have made it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from catalog.models import Presence, Scan, Tag
from cleanup.models import Check, CheckFinding
from cleanup.verifying.faults import Fault
from jobs.models import Job

SWEEPS: Final = ("sweep", "garbage-collect", "untagged")  # kinds of job that remove what images are made of
_TOGETHER: Final = 500  # tags a query


class Known(NamedTuple):
    """What was found before: `since` when each fault of a tag was first seen, and the `tags` that a scan found odd."""

    since: dict[tuple[str, str, str], datetime]
    tags: frozenset[str]

    def has(self, tag: str, fault: Fault) -> bool:
        return (tag, fault.part, fault.code) in self.since or tag in self.tags

    def first_seen(self, tag: str, fault: Fault, now: datetime) -> datetime:
        return self.since.get((tag, fault.part, fault.code), now)


def known_of(check: Check, repository: str, tags: Iterable[str]) -> Known:
    """Of these tags of a repository, of which some are broken.

    What an earlier check found, nobody is alarmed at again: it raised the alarm then, or was older than the sweep. What
    the catalog says counts only if it was read before the sweep; else nobody can tell.
    """
    since: dict[tuple[str, str, str], datetime] = {}
    odd: set[str] = set()
    catalog_counts = _catalog_is_older(check)
    names = sorted(tags)
    for start in range(0, len(names), _TOGETHER):
        some = names[start : start + _TOGETHER]
        found = CheckFinding.objects.open().filter(registry=check.registry, repository=repository, tag__in=some)
        for row in found.exclude(found_by=check):
            since[row.tag, row.part, row.code] = row.first_seen
        if catalog_counts:
            there = Tag.objects.live().filter(
                repository__registry=check.registry, repository__name=repository, name__in=some
            )
            broken = there.unreadable() | there.exclude(presence__state=Presence.State.WHOLE)
            odd.update(broken.values_list("name", flat=True))
    return Known(since, frozenset(odd))


def _catalog_is_older(check: Check) -> bool:
    """Whether all that the catalog says was read before the last sweep began; so it is where there was none."""
    sweeps = Job.objects.filter(subject=check.registry.job_subject, kind__in=SWEEPS, started_at__isnull=False)
    if check.after_job is not None:
        sweeps = sweeps.filter(pk=check.after_job)
    swept = sweeps.order_by("-started_at").values_list("started_at", flat=True).first()
    if swept is None:
        return check.after_job is None  # else its job is gone, and nobody can tell
    return not Scan.objects.filter(registry=check.registry, finished_at__gt=swept).exists()
