"""The kinds that the list of a repository can be narrowed to, each with how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Count

from catalog.models import Manifest, Presence, Repository
from catalog.models.repositories import PresenceQuerySet

KINDS: Final = {
    "images": (Manifest.Kind.IMAGE, Manifest.Kind.INDEX, Manifest.Kind.SCHEMA1),
    "charts": (Manifest.Kind.CHART,),
    "others": (
        Manifest.Kind.ARTIFACT,
        Manifest.Kind.MALFORMED,
        Manifest.Kind.SIGNATURE,
        Manifest.Kind.ATTESTATION,
        Manifest.Kind.SBOM,
    ),
}
ATTACHED: Final = "attached"
CHOICES: Final = (*KINDS, ATTACHED)
_COUNTABLE: Final = 5_000  # images; above it the kinds are shown without their counts


@dataclass(frozen=True, slots=True)
class Segment:
    """`kind` is what the address says, `name` what it is called, `count` None where nobody counted."""

    kind: str
    name: str
    count: int | None
    is_current: bool


def of_kind(row: Repository, kind: str) -> PresenceQuerySet:
    """What is attached to images has a list of its own: a person did not give those tags."""
    images = Presence.objects.tagged().filter(repository=row)
    if kind == ATTACHED:
        return images.attached()
    images = images.for_people()
    return images.filter(manifest__kind__in=KINDS[kind]) if kind else images


def segments_of(row: Repository, chosen: str) -> list[Segment]:
    """The choices; none where the list shows all there is. The first is the list without a choice. Two queries."""
    if row.image_count > _COUNTABLE:
        return _named(dict.fromkeys(CHOICES), chosen)
    counts = dict(of_kind(row, "").order_by().values_list("manifest__kind").annotate(Count("id")))
    found = {name: sum(counts.get(kind, 0) for kind in kinds) for name, kinds in KINDS.items()}
    found[ATTACHED] = of_kind(row, ATTACHED).count()
    present = {name: count for name, count in found.items() if count}
    return _named(present, chosen) if len(present) > 1 or ATTACHED in present else []


def _named(present: Mapping[str, int | None], chosen: str) -> list[Segment]:
    """Of one kind alone the list is called by it, so that no two choices show the same."""
    for_people = {name: count for name, count in present.items() if name != ATTACHED}
    if len(for_people) == 1:
        name, count = next(iter(for_people.items()))
        segments = [Segment("", name, count, chosen in {"", name})]
    else:
        counts = list(for_people.values())
        every = None if None in counts else sum(count or 0 for count in counts)
        segments = [Segment("", "unattached" if ATTACHED in present else "all", every, not chosen)]
        segments += [Segment(name, name, count, chosen == name) for name, count in for_people.items()]
    if ATTACHED in present:
        segments.append(Segment(ATTACHED, ATTACHED, present[ATTACHED], chosen == ATTACHED))
    return segments
