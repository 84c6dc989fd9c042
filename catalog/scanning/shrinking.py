"""What a scan would lose, and the question that it asks before it loses too much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.models import Repository, Scan
from catalog.policy import Holdings, must_ask
from catalog.scanning.known import live_tags
from catalog.scanning.work import Work
from jobs.running import Asking


def find_gone(registry_id: int, works: Mapping[str, Work]) -> None:
    """Find the live tags that the complete listings of an API lack, by the name of their repository."""
    names = dict(Repository.objects.live().filter(registry_id=registry_id).values_list("id", "name"))
    for repository, rows in live_tags(registry_id):
        work = works.get(names[repository])
        if work is not None and work.listing.failure is None:
            listed = set(work.listing.tags)
            work.gone = [tag for name, tag, *_ in rows if name not in listed]


def guard(registry_id: int, works: Mapping[str, Work], allowed: Mapping[str, Any], *, watched: bool) -> None:
    """Raise Asking when these complete listings lack too much of what the last complete scan had.

    A repository that the catalog lacks for the first time counts, with its tags, though it goes only
    when a second complete catalog lacks it too: an emptied registry should be asked about at once. Where only
    `watched` repositories were listed, those that were not say nothing.
    """
    last = Scan.objects.complete().filter(registry_id=registry_id).newest_first().first()
    if last is None:
        return
    lost = _losses(registry_id, works, watched=watched)
    had = Holdings(last.repositories, last.tags)
    leave = Holdings(allowed.get("repositories", 0), allowed.get("tags", 0))
    if must_ask(lost, had, leave):
        raise Asking(_question(lost, had))


def _losses(registry_id: int, works: Mapping[str, Work], *, watched: bool) -> Holdings:
    tags = sum(len(work.gone) for work in works.values())
    if watched:
        return Holdings(0, tags)
    # One that was missed before was counted, and believed, when the catalog lacked it first.
    live = Repository.objects.live().filter(registry_id=registry_id, missed=0)
    absent = [count for name, count in live.values_list("name", "tag_count") if name not in works]
    return Holdings(len(absent), tags + sum(absent))


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
