"""What a presence says of itself, worked out anew: its tags, and for an index the size and state of all below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_noop

from catalog.facets import OF_TAGS, of_tags
from catalog.models import Blob, IndexEntry, Manifest, ManifestBlob, Presence, Repository, Tag
from catalog.policy import MAX_DEPTH, MOST_BYTES, lead_of
from catalog.recording.chunks import by_number
from catalog.recording.refreshing import unsettle
from catalog.rows import add, select, update
from catalog.versions import tag_key
from jobs.running import Lease

_COUNTED: Final = ("id", "tag_count", "lead_tag", "facets")
_SHOWN: Final = 3  # reasons in one sentence
# Translators: what is wrong with one platform of an index, as "linux/arm64 is missing".
_LACK: Final = gettext_noop("%(platform)s %(lack)s")
_MISSING: Final = gettext_noop("is missing")
_MORE: Final = gettext_noop("%(lacks)s and %(n)s more")
SENTENCES: Final = (_LACK, _MISSING, _MORE)


def count_tags(repository: Repository, won: Mapping[int, list[str]], lost: AbstractSet[int]) -> None:
    """Bring tag counts and lead tags up to date; inside the transaction that moved the tags.

    `won`: the tags that came to each presence. What others it has is read only of those that `lost` some: one digest
    may have thousands.
    """
    tags: dict[int, list[str]] = {pk: [] for pk in lost}
    for presence, name in select(Tag, ("presence_id", "name"), "presence_id", lost, "gone_at IS NULL"):
        tags[presence].append(name)
    images = 0
    changed: list[tuple[Any, ...]] = []
    for pk, tag_count, lead_tag, facets in select(Presence, _COUNTED, "id", {*won, *lost}):
        names = tags[pk] if pk in lost else [*won[pk], *([lead_tag] if lead_tag else [])]
        count = len(names) if pk in lost else tag_count + len(won[pk])
        lead = lead_of(names) if names else ""
        images += bool(count) - bool(tag_count)
        now = facets & ~OF_TAGS | (of_tags(names) if pk in lost else of_tags(won[pk], facets))
        if (tag_count, lead_tag, facets) != (count, lead, now):
            changed.append((count, lead, tag_key(lead) if lead else b"", now, pk))
    update(Presence, ("tag_count", "lead_tag", "lead_key", "facets"), changed)
    add(Repository, "image_count", images, repository.pk)


def settle_indexes(lease: Lease, repository: Repository, index_ids: Iterable[int], missing: Mapping[str, str]) -> None:
    """Bring the size and state of these indexes up to date in a repository; read first, then written in pieces.

    `missing` says, by digest, why a child is not there.
    """
    index_ids = list(index_ids)
    if not index_ids:
        return
    _adopt(lease, index_ids)
    below = _Below(repository, index_ids)
    columns = ("id", "manifest_id", "size", "state", "problem")
    rows = select(Presence, columns, "manifest_id", index_ids, f"repository_id = {repository.pk:d}")
    changes: list[tuple[Any, ...]] = []
    for pk, manifest, *before in rows:
        now = (below.size(manifest), *_state(below.absent(manifest), missing))
        if tuple(before) != now:
            changes.append((*now, pk))
    for piece in by_number(changes):
        with lease.writing():
            update(Presence, ("size", "state", "problem"), piece)
            unsettle(repository)


def _adopt(lease: Lease, index_ids: list[int]) -> None:
    """Give entries their child, where two scans wrote index and child at once and neither saw what the other wrote."""
    orphans = select(IndexEntry, ("id", "digest"), "index_id", index_ids, "child_id IS NULL")
    children = dict(select(Manifest, ("digest", "id"), "digest", {digest for _, digest in orphans}))
    for piece in by_number((children[digest], entry) for entry, digest in orphans if digest in children):
        with lease.writing():
            update(IndexEntry, ("child_id",), piece)


def _state(absent: list[tuple[str, str]], missing: Mapping[str, str]) -> tuple[str, str]:
    """State and problem."""
    if not absent:
        return Presence.State.WHOLE.value, ""
    reasons = [
        _LACK % {"platform": platform or digest[:19], "lack": missing.get(digest, _MISSING)}
        for digest, platform in absent
    ]
    problem = "; ".join(reasons[:_SHOWN])
    if len(reasons) > _SHOWN:
        problem = _MORE % {"lacks": problem, "n": len(reasons) - _SHOWN}
    return Presence.State.INCOMPLETE.value, problem


class _Entry(NamedTuple):
    index_id: int
    position: int
    child_id: int
    digest: str
    os: str
    architecture: str
    variant: str

    @property
    def platform(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


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
        uses = select(ManifestBlob, ("manifest_id", "blob_id"), "manifest_id", manifest_ids)
        sizes = dict(select(Blob, ("id", "size"), "id", {blob for _, blob in uses}))
        for manifest, blob in uses:
            blobs.setdefault(manifest, {})[blob] = sizes[blob]
        return blobs

    def _look(self, index_ids: set[int]) -> set[int]:
        entries = sorted(map(_Entry._make, select(IndexEntry, _Entry._fields, "index_id", index_ids)))
        children = {entry.child_id for entry in entries if entry.child_id}
        there = f"gone_at IS NULL AND repository_id = {self._repository.pk:d}"
        here = {manifest for (manifest,) in select(Presence, ("manifest_id",), "manifest_id", children, there)}
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
    return [pk for (pk,) in select(Manifest, ("id",), "id", set(manifest_ids), f"kind = '{Manifest.Kind.INDEX.value}'")]
