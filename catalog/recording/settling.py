"""What a presence says of itself, worked out anew: its tags, and for an index the size and state of all below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F

from catalog.models import IndexEntry, Manifest, ManifestBlob, Presence, Repository, Tag
from catalog.policy import MAX_DEPTH, MOST_BYTES, lead_of
from catalog.recording.chunks import by_number
from catalog.recording.rows import update
from catalog.sort_keys import natural_key
from jobs.running import Lease

_SHOWN = 3  # reasons in one sentence


def count_tags(repository: Repository, presence_ids: set[int]) -> None:
    """Bring tag counts and lead tags up to date; inside the transaction that moved the tags."""
    if not presence_ids:
        return
    tags: dict[int, list[str]] = {}
    for presence, name in Tag.objects.live().filter(presence_id__in=presence_ids).values_list("presence_id", "name"):
        tags.setdefault(presence, []).append(name)
    images = 0
    changed: list[tuple[Any, ...]] = []
    rows = Presence.objects.filter(pk__in=presence_ids).values_list("id", "tag_count", "lead_tag")
    for pk, tag_count, lead_tag in rows:
        names = tags.get(pk, [])
        lead = lead_of(names) if names else ""
        images += bool(names) - bool(tag_count)
        if (tag_count, lead_tag) != (len(names), lead):
            changed.append((len(names), lead, natural_key(lead) if lead else b"", pk))
    update(Presence, ("tag_count", "lead_tag", "lead_key"), changed)
    if images:
        Repository.objects.filter(pk=repository.pk).update(image_count=F("image_count") + images)


def settle_indexes(lease: Lease, repository: Repository, index_ids: Iterable[int], missing: Mapping[str, str]) -> None:
    """Bring the size and state of these indexes up to date in a repository; read first, then written in pieces.

    `missing` says, by digest, why a child is not there.
    """
    index_ids = list(index_ids)
    if not index_ids:
        return
    below = _Below(repository, index_ids)
    rows = Presence.objects.filter(repository=repository, manifest_id__in=index_ids)
    changes: list[tuple[Any, ...]] = []
    for pk, manifest, *before in rows.values_list("id", "manifest_id", "size", "state", "problem"):
        now = (below.size(manifest), *_state(below.absent(manifest), missing))
        if tuple(before) != now:
            changes.append((*now, pk))
    for piece in by_number(changes):
        with lease.writing():
            update(Presence, ("size", "state", "problem"), piece)


def _state(absent: list[tuple[str, str]], missing: Mapping[str, str]) -> tuple[str, str]:
    """State and problem."""
    if not absent:
        return Presence.State.WHOLE.value, ""
    reasons = [f"{platform or digest[:19]} {missing.get(digest, 'is missing')}" for digest, platform in absent]
    more = f" and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return Presence.State.INCOMPLETE.value, "; ".join(reasons[:_SHOWN]) + more


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
        self._blobs = self._uses(seen)  # of each manifest the blobs and their sizes

    @staticmethod
    def _uses(manifest_ids: set[int]) -> dict[int, dict[int, int]]:
        blobs: dict[int, dict[int, int]] = {}
        uses = ManifestBlob.objects.filter(manifest_id__in=manifest_ids)
        for manifest, blob, size in uses.values_list("manifest_id", "blob_id", "blob__size"):
            blobs.setdefault(manifest, {})[blob] = size
        return blobs

    def _look(self, index_ids: set[int]) -> set[int]:
        rows = IndexEntry.objects.filter(index_id__in=index_ids).order_by("index_id", "position")
        entries = list(rows)
        if not entries:
            return set()
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
        sizes: dict[int, int] = {}
        for manifest in self._reached(index_id):
            sizes |= self._blobs.get(manifest, {})
        return min(MOST_BYTES, sum(sizes.values()))

    def _reached(self, index_id: int) -> set[int]:
        reached, stack = {index_id}, [index_id]
        while stack:
            new = set(self._children.get(stack.pop(), [])) - reached
            reached |= new
            stack += new
        return reached


def indexes_among(manifest_ids: Iterable[int]) -> list[int]:
    """Those that are indexes."""
    ids = list(manifest_ids)
    rows = Manifest.objects.filter(pk__in=ids, kind=Manifest.Kind.INDEX)
    return list(rows.values_list("id", flat=True)) if ids else []
