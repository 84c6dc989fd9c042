"""What belongs to an image: the manifests that it lists, those that are attached to any of them, and their tags."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple

from catalog.models import IndexEntry, Manifest, Presence, Repository, Tag
from catalog.policy import MAX_DEPTH
from catalog.recording.chunks import by_number
from catalog.rows import select
from tagging.models import TrashPart

_MOST_PARTS: Final = 2_000  # manifests of one image
_ENDINGS: Final = ("", ".sig", ".att", ".sbom")  # of the tags that tools make of a digest
_TOGETHER: Final = 500


class Known(NamedTuple):
    """A manifest as the catalog has it."""

    id: int
    digest: str
    media_type: str
    kind: str
    document_size: int


class Part(NamedTuple):
    """A manifest that an image needs; `tag`: under which it is found, if it is attached by one."""

    manifest_id: int
    role: TrashPart.Role
    tag: str = ""


class Families:
    """Of some images in one repository, by a few queries for all of them.

    `since`: also what was there then and has gone since.
    """

    def __init__(self, repository: Repository, digests: Collection[str], since: datetime | None = None) -> None:
        self._repository, self._since = repository, since
        self._children: dict[int, list[int]] = {}
        self._attached: dict[str, list[Part]] = {}  # by the digest that they are attached to
        self.known: dict[int, Known] = {}
        self._descend(self._read("digest", digests))
        self._attach()
        self.by_digest = {known.digest: known for known in self.known.values()}

    def parts(self, digest: str) -> list[Part]:
        """What lies below first, then the image itself, then what is attached to any of them, in that order too.

        Nothing where the catalog never read it.
        """
        root = self.by_digest.get(digest)
        if root is None:
            return []
        parts: dict[tuple[int, str], Part] = {}
        self._add(parts, Part(root.id, TrashPart.Role.ROOT), frozenset())
        for manifest, _ in list(parts):
            for part in self._attached.get(self.known[manifest].digest, ()):
                self._add(parts, part, frozenset())
        return list(parts.values())

    @property
    def attached(self) -> list[Part]:
        """What is attached to any of them, with what that lists before it."""
        parts: dict[tuple[int, str], Part] = {}
        for listed in self._attached.values():
            for part in listed:
                self._add(parts, part, frozenset())
        return list(parts.values())

    def _add(self, parts: dict[tuple[int, str], Part], part: Part, trail: frozenset[int]) -> None:
        manifest, role, tag = part
        # What was added is not entered again: indexes that list the same ones lead there by very many ways.
        if manifest in trail or (manifest, tag) in parts or len(parts) >= _MOST_PARTS:
            return
        below = role if role == TrashPart.Role.REFERRER else TrashPart.Role.CHILD
        for child in self._children.get(manifest, ()):
            self._add(parts, Part(child, below), trail | {manifest})
        parts[manifest, tag] = part

    def _read(self, column: str, among: Collection[object]) -> set[int]:
        rows = [Known._make(row) for row in select(Manifest, Known._fields, column, among)]
        self.known |= {known.id: known for known in rows}
        return {known.id for known in rows}

    def _descend(self, level: set[int]) -> None:
        for _ in range(MAX_DEPTH):
            indexes = [pk for pk in level if self.known[pk].kind == Manifest.Kind.INDEX and pk not in self._children]
            if not indexes:
                return
            columns, known = ("index_id", "position", "child_id"), "child_id IS NOT NULL"
            entries = sorted(select(IndexEntry, columns, "index_id", indexes, known))
            here = self._here({child for _, _, child in entries})
            for index, _position, child in entries:
                if child in here:
                    self._children.setdefault(index, []).append(child)
            level = self._read("id", here)

    def _attach(self) -> None:
        """By their subject, and by the tags that tools make of a digest."""
        digests = {known.digest for known in self.known.values()}
        by_subject = select(Manifest, ("id", "subject"), "subject", digests, "subject <> ''")
        here = self._here({pk for pk, _ in by_subject})
        found = [(subject, Part(pk, TrashPart.Role.REFERRER)) for pk, subject in by_subject if pk in here]
        found += self._tagged(digests)
        self._descend(self._read("id", {part.manifest_id for _, part in found}))
        for digest, part in found:
            self._attached.setdefault(digest, []).append(part)

    def _tagged(self, digests: Collection[str]) -> list[tuple[str, Part]]:
        plain = {digest.replace(":", "-"): digest for digest in digests}
        tags = Tag.objects.live().filter(repository=self._repository).exclude(presence=None)
        found: list[tuple[str, Part]] = []
        for names in by_number((name + ending for name in plain for ending in _ENDINGS), _TOGETHER):
            rows = tags.filter(name__in=names).values_list("name", "presence__manifest_id")
            found += [(plain[n.partition(".")[0]], Part(pk, TrashPart.Role.REFERRER, n)) for n, pk in rows]
        return found

    def _here(self, manifest_ids: Collection[int]) -> set[int]:
        """Those that are in the repository, or were."""
        columns, mine = ("manifest_id", "gone_at"), f"repository_id = {self._repository.pk:d}"
        if self._since is None:
            return {
                pk for pk, _ in select(Presence, columns, "manifest_id", manifest_ids, f"{mine} AND gone_at IS NULL")
            }
        places: Any = Presence.objects.filter(repository=self._repository, manifest__in=list(manifest_ids))
        gone = places.filter(gone_at__lt=self._since).values_list("manifest_id", flat=True)
        return set(places.values_list("manifest_id", flat=True)) - set(gone)
