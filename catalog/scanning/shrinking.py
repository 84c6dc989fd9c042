"""What a scan would lose, and the question that it asks before it loses too much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_noop

from catalog.models import Repository, Scan
from catalog.policy import Holdings, must_ask
from catalog.scanning.known import live_tags
from catalog.scanning.work import Work
from jobs.running import Asking

_LOST: Final = gettext_noop(
    "The registry lists %(repositories)s of %(all_repositories)s repositories and %(tags)s of %(all_tags)s tags no"
    " longer. Is that right?"
)
_DETAILS: Final = (
    gettext_noop("Nothing was changed: the catalog is what the last complete scan saw."),
    gettext_noop("A registry that lost its storage, or an account that may see less than before, looks like this."),
    gettext_noop("With yes, what is gone is marked as gone and keeps its history."),
)
_YES: Final = gettext_noop("Yes, it is gone: go on")
_NO: Final = gettext_noop("No, keep the catalog as it is")
SENTENCES: Final = (_LOST, *_DETAILS, _YES, _NO)


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
        raise Asking(question(lost, had))


def _losses(registry_id: int, works: Mapping[str, Work], *, watched: bool) -> Holdings:
    tags = sum(len(work.gone) for work in works.values())
    if watched:
        return Holdings(0, tags)
    # One that was missed before was counted, and believed, when the catalog lacked it first.
    live = Repository.objects.live().filter(registry_id=registry_id, missed=0)
    absent = [count for name, count in live.values_list("name", "tag_count") if name not in works]
    return Holdings(len(absent), tags + sum(absent))


def question(lost: Holdings, had: Holdings) -> dict[str, Any]:
    """What a person is asked, as a job keeps it."""
    return {
        "kind": "shrink",
        "text": _LOST
        % {
            "repositories": f"{lost.repositories:,}",
            "all_repositories": f"{had.repositories:,}",
            "tags": f"{lost.tags:,}",
            "all_tags": f"{had.tags:,}",
        },
        "details": list(_DETAILS),
        "yes": _YES,
        "no": _NO,
        "allow": {"repositories": lost.repositories, "tags": lost.tags},
    }
