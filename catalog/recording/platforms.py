"""The platforms of images as facets: those that an index does not name are its children's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from catalog.facets import OF_PLATFORMS, OF_TAGS
from catalog.models import IndexEntry, Manifest, Presence
from catalog.rows import select, update

_NAMELESS: Final = f"os = '' AND role = '{IndexEntry.Role.PLATFORM.value}' AND child_id IS NOT NULL"


def take_platforms(index_ids: Iterable[int]) -> set[int]:
    """Give these indexes the platforms of the children for which they name none; those that changed."""
    entries = select(IndexEntry, ("index_id", "child_id"), "index_id", set(index_ids), _NAMELESS)
    facets = _facets({pk for pair in entries for pk in pair})
    now: dict[int, int] = {}
    for index, child in entries:
        now[index] = now.get(index, facets[index]) | facets[child] & OF_PLATFORMS
    changed = {index for index in now if now[index] != facets[index]}
    update(Manifest, ("facets",), [(now[index], index) for index in sorted(changed)])
    return changed


def show_platforms(manifest_ids: Iterable[int]) -> None:
    """Bring the facets of the presences of these manifests, and of the indexes above them, up to date."""
    ids = set(manifest_ids)
    ids |= take_platforms({index for (index,) in select(IndexEntry, ("index_id",), "child_id", ids, _NAMELESS)})
    facets = _facets(ids)
    rows = [
        (before & OF_TAGS | facets[manifest], pk)
        for pk, manifest, before in select(Presence, ("id", "manifest_id", "facets"), "manifest_id", ids)
    ]
    update(Presence, ("facets",), rows)


def _facets(manifest_ids: set[int]) -> dict[int, int]:
    return dict(select(Manifest, ("id", "facets"), "id", manifest_ids))
