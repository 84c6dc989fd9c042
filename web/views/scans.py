"""The scans of a registry: all of them, and what one found and changed."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.guards import readers_only
from access.policy import may_administer
from catalog.models import Scan
from catalog.reads.keyset import Column, Order, paged
from catalog.reads.problems import problems_of
from catalog.reads.scan_changes import Change, changes, count_changes, is_first_reading
from web.finding import find_registry, find_scan
from web.job_progress import JobProgress
from web.scan_page import ScanRow, note_for
from web.typed import chosen

_COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}


@require_safe
@readers_only
def listing(request: HttpRequest, name: str) -> HttpResponse:
    registry = find_registry(request, name)
    scans = Scan.objects.filter(registry=registry).for_list()
    page = paged(scans, Order.parse(None, _COLUMNS), request.GET.get("page"))
    rows = [ScanRow(scan) for scan in page.rows]
    return render(request, "scans/list.html", {"registry": registry, "page": page, "rows": rows})


@require_safe
@readers_only
def page(request: HttpRequest, name: str, scan_id: int) -> HttpResponse:
    scan = find_scan(request, name, scan_id)
    row = ScanRow(scan)
    context = {
        "row": row,
        "scan": scan,
        "registry": scan.registry,
        "question": row.question,
        "progress": JobProgress(scan.job) if scan.job else None,
        "note": note_for(scan, sees_paths=may_administer(request.user)),
        **_changes(request, scan),
    }
    newest = Scan.objects.complete().filter(registry=scan.registry).newest_first().first()
    if newest == scan:  # what is broken now is told where it was found; those before only count
        context["problems"] = problems_of(scan.registry)
    return render(request, "scans/page.html", context)


def _changes(request: HttpRequest, scan: Scan) -> dict[str, Any]:
    """How many tags came, moved and went, and one page of those that are shown."""
    counts = count_changes(scan)
    asked = chosen(request, "show", tuple(Change))
    first = next((change for change in Change if counts[change].count), Change.NEW)
    shown = Change(asked) if asked else first
    is_all_new = shown is Change.NEW and not asked and is_first_reading(scan)
    found = None if is_all_new else changes(scan, shown, request.GET.get("page"))
    counted = counts[shown]
    return {
        "counts": {change.value: counted for change, counted in counts.items()},
        "shown": shown.value,
        "is_all_new": is_all_new,
        "page": found,
        "unlisted": max(0, counted.count - found.count) if found and not found.count_is_capped else 0,
    }
