"""The repositories of all registries, or of one, with the tree of their namespaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.guards import readers_only
from catalog.models import Repository
from catalog.models.repositories import RepositoryQuerySet
from catalog.reads.daily import add_pushes
from catalog.reads.keyset import Order, paged
from catalog.reads.namespaces import Tree, tree_at
from catalog.reads.repositories import COLUMNS, STATES, Filters, add_platforms
from catalog.reads.totals import Totals, sum_of, totals_of
from jobs.models import Job
from registries.models import Registry
from web.context import active_registries
from web.finding import find_registry
from web.htmx import render_page, wants_part
from web.job_progress import JobProgress
from web.typed import chosen, typed


@require_safe
@readers_only
def listing(request: HttpRequest, registry: str | None = None) -> HttpResponse:
    active = active_registries(request)
    selected = _selected(request, active, registry)
    shown = [selected] if selected else active
    filters, order = _filters(request), Order.parse(request.GET.get("sort"), COLUMNS)
    repositories = Repository.objects.of(shown, nearly_all=len(shown) == len(active) and not filters.state)
    page = paged(filters.apply(repositories), order, request.GET.get("page"), whole=RepositoryQuerySet.for_list)
    add_platforms(page)
    context = {
        "registries": active,
        "selected": selected,
        "shown": shown,
        "filters": filters,
        "order": order,
        "page": page,
        "has_pushes": add_pushes(page),
        "largest": max((row.size for row in page.rows), default=0),
    }
    if not wants_part(request):
        tree = tree_at(shown, filters.namespace, typed(request, "after"))
        context |= _surroundings(shown, tree)
        context["has_filter"] = bool(page.rows or (shown and filters.any) or not tree.is_empty)
    return render_page(request, "repositories/list.html", context, part="repositories/rows.html")


def _selected(request: HttpRequest, active: Sequence[Registry], name: str | None) -> Registry | None:
    """The registry whose page this is; a retired one is asked for."""
    found = next((row for row in active if row.name == name), None)
    return found or (find_registry(request, name) if name else None)


def _filters(request: HttpRequest) -> Filters:
    return Filters(typed(request, "q"), typed(request, "ns").strip("/"), chosen(request, "state", STATES))


def _surroundings(shown: Sequence[Registry], tree: Tree) -> dict[str, Any]:
    """What stands around the list, which a change of the filter leaves as it is."""
    scans = Job.objects.unfinished().filter(subject__in=[row.job_subject for row in shown]).order_by("id")
    return {
        "tree": tree,
        "totals": _totals_in(shown, tree) if tree.namespace else totals_of(shown),
        "scans": [JobProgress(job) for job in scans[:3]],
    }


def _totals_in(shown: Sequence[Registry], tree: Tree) -> Totals | None:
    """Of the namespace in which the tree is; a retired registry comes without the end of its last scan."""
    return sum_of(tree.here.rows if tree.here else (), [getattr(row, "scanned_at", None) for row in shown])
