"""Two runs never write one tag at once: whoever comes second leaves it alone while the first lives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

from jobs.models import Job
from sync.models import Item, Run, TagHold

_TOGETHER = 200


def hold(run: Run, items: Sequence[Item]) -> set[int]:
    """The keys of those items whose tags `run` may write from now on, in the caller's transaction.

    What a run holds that nobody carries out any more is anybody's.
    """
    mine: set[int] = set()
    for start in range(0, len(items), _TOGETHER):
        mine |= _hold(run, items[start : start + _TOGETHER])
    return mine


def let_go(run: Run, items: Sequence[Item]) -> None:
    """Of the tags of these items, in the caller's transaction."""
    for start in range(0, len(items), _TOGETHER):
        _rows(run).filter(_named(items[start : start + _TOGETHER]), run=run).delete()


def let_go_of_all(run: Run) -> None:
    TagHold.objects.filter(run=run).delete()


def _hold(run: Run, items: Sequence[Item]) -> set[int]:
    names = _named(items)
    held = _rows(run).filter(names).exclude(run=run)
    held.exclude(run__job__state__in=Job.UNFINISHED).delete()
    TagHold.objects.bulk_create(
        # In one order for all: or two runs that want the same would each wait for the other.
        [
            TagHold(registry=run.target, repository=item.repository, tag=_name(item), run=run)
            for item in sorted(items, key=lambda item: (item.repository, _name(item)))
        ],
        ignore_conflicts=True,
    )
    mine = set(_rows(run).filter(names, run=run).values_list("repository", "tag"))
    return {item.pk for item in items if (item.repository, _name(item)) in mine}


def _named(items: Iterable[Item]) -> Q:
    names = Q(pk__in=[])
    for item in items:
        names |= Q(repository=item.repository, tag=_name(item))
    return names


def _rows(run: Run) -> QuerySet[TagHold]:
    return TagHold.objects.filter(registry=run.target)


def _name(item: Item) -> str:
    """Of what has no tag nobody writes the tag; the digest stands for it."""
    return item.tag or item.digest[:128]
