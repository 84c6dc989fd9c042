"""What a scan would lose, and the question that it asks before it loses too much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalog.models import Repository, Scan, Tag
from catalog.policy import Holdings, must_ask
from catalog.scanning.listing import TagListing
from jobs.running import Asking


def guard(registry_id: int, listings: Iterable[TagListing], allowed: Mapping[str, Any]) -> None:
    """Raise Asking when these complete listings lack too much of what the last complete scan had.

    A repository that the catalog lacks for the first time counts, with its tags, though it goes only
    when a second complete catalog lacks it too: an emptied registry should be asked about at once.
    """
    last = Scan.objects.complete().filter(registry_id=registry_id).newest_first().first()
    if last is None:
        return
    lost = _losses(registry_id, listings)
    had = Holdings(last.repositories, last.tags)
    leave = Holdings(allowed.get("repositories", 0), allowed.get("tags", 0))
    if must_ask(lost, had, leave):
        raise Asking(_question(lost, had))


def _losses(registry_id: int, listings: Iterable[TagListing]) -> Holdings:
    listed = {str(listing.repository): listing for listing in listings}
    repositories = tags = 0
    live = Repository.objects.live().filter(registry_id=registry_id)
    for pk, name, tag_count, missed in live.values_list("id", "name", "tag_count", "missed"):
        listing = listed.get(name)
        if listing is None:
            if not missed:  # else it was counted, and believed, when the catalog lacked it first
                repositories += 1
                tags += tag_count
        elif listing.failure is None and tag_count:
            known = set(Tag.objects.live().filter(repository_id=pk).values_list("name", flat=True))
            tags += len(known.difference(listing.tags))
    return Holdings(repositories, tags)


def _question(lost: Holdings, had: Holdings) -> dict[str, Any]:
    return {
        "kind": "shrink",
        "text": (
            f"The registry lists {lost.repositories:,} of {had.repositories:,} repositories and"
            f" {lost.tags:,} of {had.tags:,} tags no longer. Is that right?"
        ),
        "details": [
            "Nothing was changed: the catalog is what the last complete scan saw.",
            "A registry that lost its storage, or an account that may see less than before, looks like this.",
            "With yes, what is gone is marked as gone and keeps its history.",
        ],
        "yes": "Yes, it is gone: go on",
        "no": "No, keep the catalog as it is",
        "allow": {"repositories": lost.repositories, "tags": lost.tags},
    }
