"""Judging a repository as it is now: what lies there, and what tags, pins and the trash reach of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.utils import timezone

from catalog.models import Repository
from catalog.recording.chunks import by_number
from cleanup.models import Pin
from cleanup.pins import directly_pinned
from cleanup.untagged.judging import Found, Verdict, judge
from cleanup.untagged.sources import Contents, Source
from registries.models import Registry
from tagging.models import TrashEntry, TrashPart
from tagging.trash import KEEPS_GONE

_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Holds:
    """Whether anything is pinned, and the repositories that have something in the trash: most have nothing of both."""

    pins: bool
    trash: frozenset[int]

    @classmethod
    def of(cls, registry: Registry) -> Self:
        now = timezone.now()
        entries = TrashEntry.objects.filter(registry=registry, restored_at=None, until__gt=now)
        return cls(
            Pin.objects.filter(until__gt=now).exists(),
            frozenset(entries.order_by().values_list("repository_id", flat=True).distinct()),
        )


def judged(
    source: Source, repository: Repository, before: datetime, holds: Holds | None = None
) -> tuple[Contents, Verdict]:
    """`holds`: as they were a while ago, where it is looked once more before anything goes.

    Raises LeftAlone, and RegistryError where the whole registry cannot be read.
    """
    contents = source.read(repository)
    pinned = _pinned(contents.found) if holds is None or holds.pins else set()
    trash = in_the_trash(repository, timezone.now()) if holds is None or repository.pk in holds.trash else set()
    return contents, judge(contents.found, contents.tagged, pinned, trash, before)


def in_the_trash(repository: Repository, now: datetime) -> set[str]:
    """All that an entry would be restored with, also while it is still on its way into the trash.

    But for what went because nothing reached it: of that the trash has the bytes, and nobody waits for the rest.
    """
    rows = TrashEntry.objects.filter(repository=repository, restored_at=None, until__gt=now)
    entries = [
        (pk, digest)
        for pk, digest, params in rows.values_list("pk", "digest", "plan__params")
        if not (params or {}).get(KEEPS_GONE)
    ]
    digests = {digest for _, digest in entries}
    for piece in by_number((pk for pk, _ in entries), _TOGETHER):
        digests |= set(TrashPart.objects.filter(entry__in=piece).values_list("manifest__digest", flat=True))
    return digests


def _pinned(found: Mapping[str, Found]) -> set[str]:
    """By their own digests, or those of their configs."""
    said = directly_pinned({digest for one in found.values() for digest in (one.digest, one.config) if digest})
    return {one.digest for one in found.values() if one.digest in said or one.config in said}
