"""Judging a repository as it is now: what lies there, and what tags, pins and the trash reach of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone

from catalog.models import Repository
from catalog.recording.chunks import by_number
from cleanup.pins import directly_pinned
from cleanup.untagged.judging import Found, Verdict, judge
from cleanup.untagged.sources import Contents, Source
from tagging.models import TrashEntry, TrashPart
from tagging.trash import KEEPS_GONE

_TOGETHER = 500


def judged(source: Source, repository: Repository, before: datetime) -> tuple[Contents, Verdict]:
    """Raises LeftAlone, and RegistryError where the whole registry cannot be read."""
    contents = source.read(repository)
    verdict = judge(
        contents.found, contents.tagged, _pinned(contents.found), in_the_trash(repository, timezone.now()), before
    )
    return contents, verdict


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
