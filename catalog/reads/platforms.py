"""The platforms of images in a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from catalog import facets
from catalog.models import IndexEntry, Manifest

_MOST: Final = 100  # entries that are read of one index: a list shows three


def platforms_of(manifests: Iterable[Manifest], *, exact: bool = False) -> dict[int, list[str]]:
    """`linux/amd64` and the like by the manifest's id, each once. One query at most, however many manifests.

    The facets tell them, without a variant that goes without saying; only an index with a platform that they do not
    name has to be asked, or, where it is to be `exact`, every one.
    """
    found: dict[int, list[str]] = {}
    indexes = []
    for manifest in manifests:
        named = facets.platforms_in(manifest.facets)
        found[manifest.pk] = [manifest.platform] if manifest.platform else named
        if manifest.kind == Manifest.Kind.INDEX and (exact or facets.OTHER_PLATFORMS in named):
            found[manifest.pk] = []
            indexes.append(manifest.pk)
    if not indexes:
        return found
    entries = IndexEntry.objects.filter(index__in=indexes, role=IndexEntry.Role.PLATFORM, position__lt=_MOST)
    for entry in entries.order_by("index_id", "position").only("index_id", "os", "architecture", "variant"):
        names = found[entry.index_id]
        if entry.platform and entry.platform not in names:
            names.append(entry.platform)
    return found
