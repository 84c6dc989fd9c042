"""What a presence says of itself, worked out anew: its tags, and for an index the size and state of all below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F

from catalog.models import IndexEntry, Manifest, ManifestBlob, Presence, Repository, Tag
from catalog.policy import MAX_DEPTH, MOST_BYTES, lead_of
from catalog.recording.chunks import by_number
from catalog.sort_keys import natural_key
from jobs.running import Lease

_SHOWN = 3  # reasons in one sentence


def count_tags(repository: Repository, presence_ids: set[int]) -> None:
    """Bring tag counts and lead tags up to date; inside the transaction that moved the tags."""
    tags: dict[int, list[str]] = {}
    for presence, name in Tag.objects.live().filter(presence_id__in=presence_ids).values_list("presence_id", "name"):
        tags.setdefault(presence, []).append(name)
    images = 0
    for row in Presence.objects.filter(pk__in=presence_ids).only("tag_count", "lead_tag"):
        names = tags.get(row.pk, [])
        lead = lead_of(names) if names else ""
        images += bool(names) - bool(row.tag_count)
        if (row.tag_count, row.lead_tag) != (len(names), lead):
            Presence.objects.filter(pk=row.pk).update(
                tag_count=len(names), lead_tag=lead, lead_key=natural_key(lead) if lead else b""
            )
    if images:
        Repository.objects.filter(pk=repository.pk).update(image_count=F("image_count") + images)


def settle_indexes(lease: Lease, repository: Repository, index_ids: Iterable[int], missing: Mapping[str, str]) -> None:
    """Bring the size and state of these indexes up to date in a repository; read first, then written in pieces.

    `missing` says, by digest, why a child is not there.
    """
    index_ids = list(index_ids)
    below = _Below(repository, index_ids)
    rows = Presence.objects.filter(repository=repository, manifest_id__in=index_ids)
    changes: list[tuple[int, dict[str, Any]]] = []
    for row in rows.only("manifest_id", "size", "state", "problem"):
        now = {"size": below.size(row.manifest_id), **_state(below.absent(row.manifest_id), missing)}
        if any(getattr(row, name) != value for name, value in now.items()):
            changes.append((row.pk, now))
    for piece in by_number(changes, 200):
        with lease.writing():
            for pk, now in piece:
                Presence.objects.filter(pk=pk).update(**now)


def _state(absent: list[tuple[str, str]], missing: Mapping[str, str]) -> dict[str, str]:
    if not absent:
        return {"state": Presence.State.WHOLE, "problem": ""}
    reasons = [f"{platform or digest[:19]} {missing.get(digest, 'is missing')}" for digest, platform in absent]
    more = f" and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return {"state": Presence.State.INCOMPLETE, "problem": "; ".join(reasons[:_SHOWN]) + more}


class _Below:
    """What lies below some indexes in one repository, at most `MAX_DEPTH` levels deep."""

    def __init__(self, repository: Repository, index_ids: Iterable[int]) -> None:
        self._repository = repository
        self._children: dict[int, list[int]] = {}  # those that are present
        self._absent: dict[int, list[tuple[str, str]]] = {}  # digest and platform of those that are not
        level, seen = set(index_ids), set(index_ids)
        for _ in range(MAX_DEPTH):
            level = self._look(level) - seen
            seen |= level
            if not level:
                break

    def _look(self, index_ids: set[int]) -> set[int]:
        entries = list(IndexEntry.objects.filter(index_id__in=index_ids).order_by("index_id", "position"))
        here = set(
            Presence.objects.present()
            .filter(repository=self._repository, manifest_id__in={e.child_id for e in entries if e.child_id})
            .values_list("manifest_id", flat=True)
        )
        for entry in entries:
            if entry.child_id in here:
                self._children.setdefault(entry.index_id, []).append(entry.child_id)
            else:
                self._absent.setdefault(entry.index_id, []).append((entry.digest, entry.platform))
        return here

    def absent(self, index_id: int) -> list[tuple[str, str]]:
        """Digest and platform of what is missing anywhere below, each once."""
        return list(dict.fromkeys(pair for pk in self._reached(index_id) for pair in self._absent.get(pk, [])))

    def size(self, index_id: int) -> int:
        """Bytes of all that is there, each blob once."""
        uses = ManifestBlob.objects.filter(manifest_id__in=self._reached(index_id))
        return min(MOST_BYTES, sum(dict(uses.values_list("blob_id", "blob__size")).values()))

    def _reached(self, index_id: int) -> set[int]:
        reached, stack = {index_id}, [index_id]
        while stack:
            new = set(self._children.get(stack.pop(), [])) - reached
            reached |= new
            stack += new
        return reached


def indexes_among(manifest_ids: Iterable[int]) -> list[int]:
    """Those that are indexes."""
    rows = Manifest.objects.filter(pk__in=list(manifest_ids), kind=Manifest.Kind.INDEX)
    return list(rows.values_list("id", flat=True))
