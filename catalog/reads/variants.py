"""What an index lists: one variant a platform, other indexes, and what is said about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext

from catalog.models import IndexEntry, Manifest, Presence, Repository
from oci.media_types import ACCEPTED, INDEXES, SCHEMA1

_MANIFESTS = frozenset(ACCEPTED) | SCHEMA1


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

    @property
    def os_version(self) -> str:
        return self.entry.os_version


@dataclass(frozen=True, slots=True)
class Listed:
    """All that an index lists, in its order."""

    variants: tuple[Variant, ...] = ()
    nested: tuple[Variant, ...] = ()  # indexes within the index
    attestations: tuple[Variant, ...] = ()
    others: tuple[Variant, ...] = ()  # artifacts, and what is no manifest at all, as in a build cache

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
    """One query; what an index may list at all is bounded where it is parsed.

    Of an index that is `gone` the images went along: then those count that were ever seen here.
    """
    seen = Presence.objects.all() if gone else Presence.objects.present()
    here = seen.filter(repository=repository, manifest=OuterRef("child")).exclude(state=Presence.State.UNREADABLE)
    rows = IndexEntry.objects.filter(index=index).select_related("child").annotate(is_here=Exists(here))
    groups: dict[str, list[IndexEntry]] = {"platform": [], "nested": [], "attestation": [], "other": []}
    for entry in rows.order_by("position"):
        groups[_group(entry)].append(entry)
    return Listed(*(tuple(_variants(entries)) for entries in groups.values()))


def _group(entry: IndexEntry) -> str:
    if entry.role == IndexEntry.Role.PLATFORM:
        if entry.media_type not in _MANIFESTS:
            return "other"
        is_index = entry.media_type in INDEXES or (entry.child and entry.child.kind == Manifest.Kind.INDEX)
        return "nested" if is_index else "platform"
    return str(entry.role)


def _variants(entries: Sequence[IndexEntry]) -> list[Variant]:
    """Windows has many versions of one platform, and some descriptors name none: those go by their position."""
    platforms = [entry.platform or (entry.child.platform if entry.child else "") for entry in entries]
    seen = Counter(platforms)
    return [
        Variant(
            entry=entry,
            name=platform if platform and seen[platform] == 1 else str(entry.position),
            label=_label(entry, platform, is_one_of_many=seen[platform] > 1),
            is_here=entry.is_here,  # type: ignore[attr-defined]  # annotated
        )
        for entry, platform in zip(entries, platforms, strict=True)
    ]


def _label(entry: IndexEntry, platform: str, *, is_one_of_many: bool) -> str:
    """The platform, where the index names one; else the place in it, and the platform that the image itself names."""
    if entry.platform:
        return " ".join(part for part in (platform, entry.os_version if is_one_of_many else "") if part)
    place = gettext("entry %(n)s") % {"n": entry.position + 1}
    return f"{platform} ({place})" if platform else place
