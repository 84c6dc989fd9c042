"""The repositories of all registries, or of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.guards import readers_only
from catalog.models import Repository
from catalog.models.repositories import RepositoryQuerySet
from catalog.reads.keyset import Column, Order, Page, paged
from catalog.reads.namespaces import count_namespaces
from catalog.reads.platforms import platforms_of
from catalog.reads.totals import totals_in, totals_of
from jobs.models import Job
from registries.models import Registry
from web.finding import find_registry
from web.htmx import render_page, wants_part
from web.job_progress import JobProgress
from web.typed import chosen, typed

COLUMNS: Final = {
    "changed": Column("changed_at", datetime, largest_first=True),
    "name": Column("name_key", bytes),
    "tags": Column("tag_count", int, largest_first=True),
    "size": Column("size", int, largest_first=True),
}
_STATES: Final = ("problems", "empty", "gone")


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the list is wanted; without any it is all that is there."""

    text: str
    namespace: str
    state: str

    @classmethod
    def read(cls, request: HttpRequest) -> Filters:
        return cls(typed(request, "q"), typed(request, "ns"), chosen(request, "state", _STATES))

    @property
    def any(self) -> bool:
        return bool(self.text or self.namespace or self.state)

    def apply(self, repositories: RepositoryQuerySet) -> RepositoryQuerySet:
        rows = repositories.exclude(gone_at=None) if self.state == "gone" else repositories.live()
        if self.state == "problems":
            rows = rows.with_problems()
        if self.state == "empty":
            rows = rows.filter(state=Repository.State.EMPTY)
        if self.namespace:
            rows = rows.in_namespace(self.namespace)
        return rows.matching(self.text)


@require_safe
@readers_only
def listing(request: HttpRequest, registry: str | None = None) -> HttpResponse:
    active = list(Registry.objects.active().by_name())
    selected = find_registry(request, registry) if registry else None
    shown = [selected] if selected else active
    filters, order = Filters.read(request), Order.parse(request.GET.get("sort"), COLUMNS)
    repositories = Repository.objects.filter(registry__in=[row.pk for row in shown])
    page = paged(filters.apply(repositories).for_list(), order, request.GET.get("page"))
    _add_platforms(page)
    context = {
        "registries": active,
        "selected": selected,
        "shown": shown,
        "filters": filters,
        "order": order,
        "page": page,
        "largest": max((row.size for row in page.rows), default=0),
        "totals": totals_in(shown, filters.namespace) if filters.namespace else totals_of(shown),
    }
    if not wants_part(request):
        context |= _surroundings(shown, repositories, filters)
    return render_page(request, "repositories/list.html", context, part="repositories/rows.html")


def _add_platforms(page: Page[Repository]) -> None:
    newest = {row.pk: row.newest.manifest for row in page.rows if row.newest}
    platforms = platforms_of(newest.values())
    for row in page.rows:
        row.platforms = platforms[newest[row.pk].pk] if row.pk in newest else []  # type: ignore[attr-defined]


def _surroundings(shown: Sequence[Registry], repositories: RepositoryQuerySet, filters: Filters) -> dict[str, Any]:
    """What stands around the list, which a change of the filter leaves as it is; the totals follow the namespace."""
    scans = Job.objects.unfinished().filter(subject__in=[row.job_subject for row in shown]).order_by("id")
    namespaces = count_namespaces(repositories.live())
    return {
        "has_filter": bool(namespaces.repositories or (shown and filters.any)),
        "namespaces": namespaces,
        "scans": [JobProgress(job) for job in scans[:3]],
    }
