"""The page of one registry: how Berth reads it and when, what it holds, and what its scans found."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.guards import readers_only
from access.policy import may_administer
from catalog.models import Scan
from catalog.reads.keyset import Order
from catalog.reads.totals import COLUMNS, namespace_totals, sum_of, totals_in
from catalog.scan import KIND
from jobs.models import Job
from registries.findings import findings
from registries.models import Registry
from web.finding import find_registry
from web.job_progress import JobProgress
from web.scan_page import ScanRow, note_for
from web.schedule import Schedule
from web.typed import typed
from web.watched_page import watched_section

_SCANS: Final = 10


@require_safe
@readers_only
def page(request: HttpRequest, name: str) -> HttpResponse:
    registry = find_registry(request, name)
    scans = list(Scan.objects.filter(registry=registry).for_list().newest_first()[:_SCANS])
    complete = next((scan for scan in scans if scan.complete), None) or _last_complete(registry)
    jobs = list(Job.objects.unfinished().filter(kind=KIND, subject=registry.job_subject))
    last_event: datetime | None = registry.last_event  # type: ignore[attr-defined]  # annotated
    context = {
        "registry": registry,
        "findings": findings(registry),
        "rows": [ScanRow(scan) for scan in scans],
        "complete": complete,
        "note": note_for(complete, sees_paths=may_administer(request.user)) if complete else "",
        "schedule": Schedule.of(registry, scans[0] if scans else None, complete, last_event),
        "question": next((job for job in jobs if job.state == Job.State.ASKING), None),
        "moving": [JobProgress(job) for job in jobs if job.is_moving],
        "last_event": last_event,
        "watched": watched_section(registry, scans[0] if scans else None),
        **_totals(request, registry, complete),
    }
    return render(request, "registry/page.html", context)


def _last_complete(registry: Registry) -> Scan | None:
    scans = Scan.objects.complete().filter(registry=registry).for_list()
    return scans.newest_first().first()


def _totals(request: HttpRequest, registry: Registry, complete: Scan | None) -> dict[str, Any]:
    """Of the whole registry, and of the namespaces below the one that was asked for, by its last complete scan."""
    parent, order = typed(request, "ns"), Order.parse(request.GET.get("sort"), COLUMNS)
    namespaces = namespace_totals(registry, parent, order, request.GET.get("page"))
    levels, scans = parent.split("/") if parent else [], [complete] if complete else []
    return {
        "totals": sum_of(scans, [scan.finished_at for scan in scans]),
        "parent": parent,
        "above": [{"name": name, "path": "/".join(levels[:depth])} for depth, name in enumerate(levels, 1)],
        "inside": totals_in([registry], parent, scans) if parent else None,
        "order": order,
        "page": namespaces,
        "largest": max((total.pushed for total in namespaces.rows), default=0),
    }
