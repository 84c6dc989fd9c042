"""What an index lists: one variant a platform, and what is said about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.models import IndexEntry, Manifest, Presence, Repository


@dataclass(frozen=True, slots=True)
class Variant:
    """One image of an index. `child` is None where no scan ever saw it; it may also be missing only here."""

    entry: IndexEntry
    name: str  # how it is chosen: its platform, or its position where that says too little
    label: str
    is_here: bool

    @property
    def child(self) -> Manifest | None:
        return self.entry.child

    @property
    def size(self) -> int | None:
        """Bytes that a client pulls; None while nobody saw the manifest."""
        return self.child.size if self.child and self.is_here else None


@dataclass(frozen=True, slots=True)
class Listed:
    """All that an index lists, in its order."""

    variants: tuple[Variant, ...] = ()
    attestations: tuple[IndexEntry, ...] = ()
    others: tuple[IndexEntry, ...] = ()
    here: frozenset[int] = frozenset()  # the manifests of it that are in this repository, of whatever role

    @property
    def missing(self) -> tuple[Variant, ...]:
        return tuple(variant for variant in self.variants if not variant.is_here)

    @property
    def is_hollow(self) -> bool:
        """It lists images, and not one of them is here."""
        return bool(self.variants) and len(self.missing) == len(self.variants)

    def choose(self, name: str) -> Variant | None:
        """The one of that name; else the first that is here; else the first."""
        named = [variant for variant in self.variants if name and variant.name == name]
        here = [variant for variant in self.variants if variant.is_here]
        return next(iter([*named, *here, *self.variants]), None)


def list_index(index: Manifest, repository: Repository, *, gone: bool = False) -> Listed:
    """Two queries; what an index may list at all is bounded where it is parsed.

    Of an index that is `gone` the images went along: then those count that were ever seen here.
    """
    entries = list(IndexEntry.objects.filter(index=index).select_related("child").order_by("position"))
    here = frozenset(
        (Presence.objects.all() if gone else Presence.objects.present())
        .filter(repository=repository, manifest__in=[entry.child_id for entry in entries if entry.child_id])
        .exclude(state=Presence.State.UNREADABLE)
        .values_list("manifest_id", flat=True)
    )
    images = [entry for entry in entries if entry.role == IndexEntry.Role.PLATFORM]
    return Listed(
        variants=tuple(_variants(images, here)),
        attestations=tuple(entry for entry in entries if entry.role == IndexEntry.Role.ATTESTATION),
        others=tuple(entry for entry in entries if entry.role == IndexEntry.Role.OTHER),
        here=here,
    )


def _variants(entries: Sequence[IndexEntry], here: frozenset[int]) -> list[Variant]:
    """Windows has many versions of one platform, and some descriptors name none: those go by their position."""
    platforms = [entry.platform or (entry.child.platform if entry.child else "") for entry in entries]
    seen = Counter(platforms)
    return [
        Variant(
            entry=entry,
            name=platform if platform and seen[platform] == 1 else str(entry.position),
            label=" ".join(part for part in (platform, entry.os_version if seen[platform] > 1 else "") if part),
            is_here=entry.child_id in here,
        )
        for entry, platform in zip(entries, platforms, strict=True)
    ]
