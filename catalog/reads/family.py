"""Which images an image builds on, and which build on it: told by layers, so of one platform each.

One builds on another where its first layers are all the layers of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Count, Min

from catalog.layers_keys import keys_of_prefixes
from catalog.models import IndexEntry, Manifest, ManifestBlob, Presence
from registries.models import Registry, for_asking

MOST: Final = 20  # images of each that are listed
_LOOKED_AT: Final = 200  # images behind one list of layers
_USES: Final = 2_000  # of the uppermost layer; a layer that all images have says little
_COMPARED: Final = 4_000  # layers of images that may build on it
_MOST_LAYERS: Final = 200


@dataclass(frozen=True, slots=True)
class Relative:
    """An image under the name that people know: of a tag of its own, or of the index that lists it.

    `layers` is how many both have; `others`, in how many more places the same image is.
    """

    presence: Presence
    layers: int
    others: int


@dataclass(frozen=True, slots=True)
class Family:
    """`bases` begin with what it builds on directly; `has_more` where not all that build on it are listed."""

    bases: list[Relative] = field(default_factory=list)
    derived: list[Relative] = field(default_factory=list)
    has_more: bool = False


def family_of(manifest: Manifest, registries: Iterable[Registry]) -> Family:
    """Of an image for one platform; of anything else it is empty. Nine queries at most."""
    uses = ManifestBlob.objects.filter(manifest=manifest, position__gt=0).order_by("position")
    layers = list(uses.values_list("blob_id", "blob__digest")[: _MOST_LAYERS + 1])
    if manifest.kind != Manifest.Kind.IMAGE or not 0 < len(layers) <= _MOST_LAYERS:
        return Family()
    depths = _below([digest for _, digest in layers])
    blobs = [blob for blob, _ in layers]
    above, has_more = _above(manifest, blobs)
    named = _named({*depths, *above}, manifest, [registry.pk for registry in registries])
    bases = [Relative(presence, depths[pk], others) for pk, presence, others in named if pk in depths]
    derived = [Relative(presence, len(layers), others) for pk, presence, others in named if pk not in depths]
    bases.sort(key=lambda relative: -relative.layers)
    return Family(bases[:MOST], derived[:MOST], has_more or len(derived) > MOST)


def _below(digests: Sequence[str]) -> dict[int, int]:
    """Manifests whose layers are the first of these, but not all of them; each with how many."""
    depths = {key: depth for depth, key in enumerate(keys_of_prefixes(digests[:-1]), start=1)}
    found = Manifest.objects.filter(layers_key__in=depths, kind=Manifest.Kind.IMAGE)
    rows = found.order_by("-layer_count", "pk").values_list("pk", "layers_key", "layer_count")[:_LOOKED_AT]
    return {pk: depths[key] for pk, key, count in rows if count == depths[key]}


def _above(manifest: Manifest, blobs: Sequence[int]) -> tuple[list[int], bool]:
    """Manifests that begin with these layers and have more; and whether there may be others."""
    here = len(blobs)
    uses = list(ManifestBlob.objects.filter(blob=blobs[-1]).order_by("-pk").values_list("manifest", "position")[:_USES])
    most = min(_LOOKED_AT, max(MOST, _COMPARED // here))
    maybe = [pk for pk, position in uses if position == here and pk != manifest.pk]
    larger = Manifest.objects.filter(pk__in=maybe[:most], layer_count__gt=here, kind=Manifest.Kind.IMAGE)
    first = ManifestBlob.objects.filter(manifest__in=larger.values("pk"), position__range=(1, here))
    lists: dict[int, list[int]] = {}
    for pk, blob in first.order_by("manifest_id", "position").values_list("manifest_id", "blob_id"):
        lists.setdefault(pk, []).append(blob)
    found = [pk for pk, begins in lists.items() if begins == list(blobs)]
    return found, len(uses) == _USES or len(maybe) > most


def _named(manifest_ids: set[int], itself: Manifest, registry_ids: list[int]) -> list[tuple[int, Presence, int]]:
    """Those that a tag reaches, the newest first: one presence of each, and in how many more places it is."""
    entries = IndexEntry.objects.filter(child__in=manifest_ids).values_list("index_id", "child_id")
    children: dict[int, list[int]] = {}
    for index, child in entries[: _LOOKED_AT * MOST]:
        children.setdefault(index, []).append(child)
    own = set(IndexEntry.objects.filter(child=itself).values_list("index_id", flat=True))  # another platform is no kin
    tagged = Presence.objects.tagged().for_people().filter(repository__registry__in=registry_ids)
    wanted = {*manifest_ids, *children} - own - {itself.pk}
    counted = (
        tagged.filter(manifest__in=wanted).values_list("manifest_id").annotate(first=Min("pk"), places=Count("pk"))
    )
    places = {first: (pk, number) for pk, first, number in counted.order_by()}
    found: dict[int, tuple[Presence, int]] = {}
    named = Presence.objects.filter(pk__in=places).select_related("repository__registry", "manifest")
    for presence in named.defer(*for_asking("repository__registry")):
        pk, number = places[presence.pk]
        for child in [pk] if pk in manifest_ids else children[pk]:
            found.setdefault(child, (presence, number - 1))
    rows = sorted(found.items(), key=lambda item: -item[1][0].pk)
    seen: dict[int, tuple[int, Presence, int]] = {}  # an index that has it for two platforms is named once
    for pk, (presence, others) in rows:
        seen.setdefault(presence.pk, (pk, presence, others))
    return list(seen.values())
