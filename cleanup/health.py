"""What is not well in registries: what checks found broken, what scans could not read, and what is left over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalog.models import Presence, Repository, Scan, Tag
from cleanup.models import Check, CheckFinding, Halt
from registries.models import Registry, for_asking

_BROKEN = CheckFinding.objects.open().broken()


@dataclass(slots=True)
class Standing:
    """How one registry stands. `last` is its newest check of all repositories that came to its end.

    `moving` is one that has not yet, of whatever it is; `broken` counts the tags that are known to be broken now.
    """

    registry: Registry
    last: Check | None = None
    moving: Check | None = None
    broken_off: Check | None = None  # its newest, where that did not come to its end
    broken: int = 0
    halt: Halt | None = None
    uploads: Scan | None = None  # the last scan that counted what was begun and never ended, where that was anything


def standings(registries: Sequence[Registry]) -> list[Standing]:
    """In the order of the registries; three queries."""
    rows = {registry.pk: Standing(registry) for registry in registries}
    of_it = Check.objects.filter(registry=OuterRef("pk")).newest_first()
    mine = Registry.objects.filter(pk__in=rows)
    newest = Q(pk__in=mine.values_list(Subquery(of_it.values("pk")[:1])))
    done = Q(pk__in=mine.values_list(Subquery(of_it.done().filter(repository="").values("pk")[:1])))
    moving = Q(state__in=[Check.State.WAITING, Check.State.UNDER_WAY])
    checks = Check.objects.filter(Q(registry__in=rows) & (moving | newest | done)).select_related("job")
    for check in checks.order_by("pk"):
        standing = rows[check.registry_id]
        if check.state == Check.State.DONE:
            standing.last = standing.last if check.repository else check
        elif check.state == Check.State.BROKEN_OFF:
            standing.broken_off = check
        else:
            standing.moving = check
    broken = broken_tags(registries).filter(registry=OuterRef("pk")).order_by().values("registry")
    halts = Halt.objects.open().filter(registry=OuterRef("pk"))
    of_each = mine.annotate(
        broken=Coalesce(Subquery(broken.annotate(all=Count("pk")).values("all")), 0),
        halt=Subquery(halts.values("pk")),
        why=Subquery(halts.values("why")),
        since=Subquery(halts.values("since")),
    )
    for pk, count, halt, why, since in of_each.values_list("pk", "broken", "halt", "why", "since"):
        rows[pk].broken = count
        rows[pk].halt = Halt(pk=halt, registry=rows[pk].registry, why=why, since=since) if halt else None
    counted = Scan.objects.filter(registry=OuterRef("pk"), uploads__isnull=False).newest_first().values("pk")[:1]
    for scan in Scan.objects.filter(pk__in=Registry.objects.filter(pk__in=rows).values_list(Subquery(counted))):
        if scan.uploads:
            rows[scan.registry_id].uploads = scan
    return list(rows.values())


def broken_tags(registries: Iterable[Registry]) -> QuerySet[CheckFinding]:
    """Tags that the last look at them found broken, each by its first fault; those that were deleted since are none."""
    tag = {"registry": OuterRef("registry"), "repository": OuterRef("repository"), "tag": OuterRef("tag")}
    gone = Tag.objects.gone().filter(
        repository__registry=OuterRef("registry"), repository__name=OuterRef("repository"), name=OuterRef("tag")
    )
    earlier = _BROKEN.filter(**tag, pk__lt=OuterRef("pk"))
    return _BROKEN.filter(registry__in=list(registries)).exclude(Exists(gone)).exclude(Exists(earlier))


def with_places(rows: QuerySet[CheckFinding]) -> QuerySet[CheckFinding]:
    """Each with its registry, and `faults`: how many its tag has."""
    tag = {"registry": OuterRef("registry"), "repository": OuterRef("repository"), "tag": OuterRef("tag")}
    same = _BROKEN.filter(**tag).order_by().values("tag").annotate(all=Count("pk")).values("all")
    joined = rows.select_related("registry", "found_by").defer(*for_asking("registry"))
    return joined.annotate(faults=Coalesce(Subquery(same), 1))


def hollow_images(registries: Iterable[Registry]) -> QuerySet[Presence]:
    """Tagged images of which scans miss a part, where no check has said so already."""
    told = _BROKEN.filter(
        registry=OuterRef("repository__registry"),
        repository=OuterRef("repository__name"),
        digest=OuterRef("manifest__digest"),
    )
    inside = Presence.objects.tagged().filter(repository__in=_with_problems(registries))
    return inside.exclude(state=Presence.State.WHOLE).exclude(Exists(told))


def unread_tags(registries: Iterable[Registry]) -> QuerySet[Tag]:
    """Tags that the last scan could not read."""
    return Tag.objects.live().unreadable().filter(repository__in=_with_problems(registries))


def empty_repositories(registries: Iterable[Registry]) -> QuerySet[Repository]:
    """Names that are still listed, and have no tag."""
    return Repository.objects.live().filter(registry__in=list(registries), state=Repository.State.EMPTY)


def _with_problems(registries: Iterable[Registry]) -> QuerySet[Repository, Any]:
    """Only these are looked into: a scan has counted problems there."""
    live = Repository.objects.live().filter(registry__in=list(registries), problem_count__gt=0)
    return live.order_by().values("pk")
