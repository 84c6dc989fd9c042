"""What a presence says of itself, worked out anew: its tags, its size with all that lies below it, its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import F

from catalog.models import IndexEntry, Manifest, ManifestBlob, Presence, Repository, Tag
from catalog.policy import lead_of
from catalog.sort_keys import natural_key

_DEPTH: Final = 4


def settle(repository: Repository, presence_ids: set[int], missing: Mapping[str, str]) -> None:
    """Bring tag counts, lead tags, sizes and states of these presences up to date; write what changed.

    `missing` says, by digest, why a child is not there.
    """
    rows = list(Presence.objects.filter(pk__in=presence_ids).select_related("manifest"))
    tags = _live_tags(presence_ids)
    below = _Below(repository, [row.manifest_id for row in rows if row.manifest.kind == Manifest.Kind.INDEX])
    images = 0
    for row in rows:
        names = tags.get(row.pk, [])
        lead = lead_of(names) if names else ""
        values: dict[str, Any] = {
            "tag_count": len(names),
            "lead_tag": lead,
            "lead_key": natural_key(lead) if lead else b"",
            "size": below.size(row.manifest),
            **_state(row, below, missing),
        }
        changed = {name: value for name, value in values.items() if _plain(getattr(row, name)) != value}
        images += bool(names) - bool(row.tag_count)
        if changed:
            Presence.objects.filter(pk=row.pk).update(**changed)
    if images:
        Repository.objects.filter(pk=repository.pk).update(image_count=F("image_count") + images)


def _plain(value: Any) -> Any:
    """PostgreSQL gives a memoryview where SQLite gives bytes."""
    return bytes(value) if isinstance(value, memoryview) else value


def _live_tags(presence_ids: set[int]) -> dict[int, list[str]]:
    tags: dict[int, list[str]] = {}
    for presence, name in Tag.objects.live().filter(presence_id__in=presence_ids).values_list("presence_id", "name"):
        tags.setdefault(presence, []).append(name)
    return tags


def _state(row: Presence, below: _Below, missing: Mapping[str, str]) -> dict[str, str]:
    if row.manifest.kind == Manifest.Kind.MALFORMED:
        return {"state": Presence.State.UNREADABLE, "problem": row.manifest.problem}
    absent = below.absent(row.manifest_id)
    if absent:
        reasons = [f"{platform or digest[:19]} {missing.get(digest, 'is missing')}" for digest, platform in absent]
        more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""  # noqa: PLR2004  three are enough to read
        return {"state": Presence.State.INCOMPLETE, "problem": "; ".join(reasons[:3]) + more}
    if row.state == Presence.State.NO_CONFIG:  # the reading of configs says when that is over
        return {}
    return {"state": Presence.State.WHOLE, "problem": ""}


class _Below:
    """What lies below some indexes in one repository, at most four levels deep."""

    def __init__(self, repository: Repository, index_ids: list[int]) -> None:
        self._children: dict[int, list[int]] = {}  # those that are present
        self._absent: dict[int, list[tuple[str, str]]] = {}  # digest and platform of those that are not
        self._blobs: dict[int, dict[int, int]] = {}  # blob sizes by blob id, by manifest
        level = set(index_ids)
        for _ in range(_DEPTH):
            level = self._look(repository, level) - set(self._children)
            if not level:
                break
        leaves = {child for children in self._children.values() for child in children}
        uses = ManifestBlob.objects.filter(manifest_id__in=leaves)
        for manifest, blob, size in uses.values_list("manifest_id", "blob_id", "blob__size"):
            self._blobs.setdefault(manifest, {})[blob] = size

    def _look(self, repository: Repository, index_ids: set[int]) -> set[int]:
        entries = list(IndexEntry.objects.filter(index_id__in=index_ids).order_by("position"))
        here = set(
            Presence.objects.present()
            .filter(repository=repository, manifest_id__in=[entry.child_id for entry in entries if entry.child_id])
            .values_list("manifest_id", flat=True)
        )
        for entry in entries:
            if entry.child_id in here:
                self._children.setdefault(entry.index_id, []).append(entry.child_id)
            else:
                self._absent.setdefault(entry.index_id, []).append((entry.digest, entry.platform))
        return here

    def absent(self, index_id: int) -> list[tuple[str, str]]:
        return self._absent.get(index_id, [])

    def size(self, manifest: Manifest) -> int:
        """Bytes of all that is there, each blob once."""
        if manifest.kind != Manifest.Kind.INDEX:
            return manifest.size
        blobs: dict[int, int] = {}
        seen, stack = {manifest.pk}, [manifest.pk]
        while stack:
            for child in self._children.get(stack.pop(), []):
                if child not in seen:
                    seen.add(child)
                    stack.append(child)
                    blobs |= self._blobs.get(child, {})
        return sum(blobs.values())
