"""What is used, and by what: of all registries, of one, of a namespace in it; as tables, and as a file."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.guards import readers_only, signed_in_only
from catalog.models import Scan
from catalog.reads.growth import growth_of
from catalog.reads.keyset import Order, paged
from catalog.reads.namespaces import levels_of
from catalog.reads.repository_bytes import RepositoryBytes, counted_at
from catalog.reads.storage import (
    IMAGES,
    REPEATED,
    REPOSITORIES,
    disk_of,
    large_images,
    repeated_images,
    repositories_of,
)
from catalog.reads.storage_levels import level_at
from catalog.reads.totals import sum_of, totals_in
from registries.models import Registry, for_asking
from web.context import active_registries
from web.finding import check_may_read, find_registry
from web.storage import table_file
from web.storage.growth_line import GrowthLine
from web.storage.places import Place, cells_of, places_of, registries_as_places
from web.storage.policies import freeings_of
from web.typed import typed


@require_safe
@readers_only
def overview(request: HttpRequest) -> HttpResponse:
    """Of all registries; where there is only one, its own page."""
    check_may_read(request)
    active = active_registries(request)
    if len(active) == 1:
        return _page(request, active[0])
    scans = list(Scan.objects.newest_complete_of(active).select_related("registry").defer(*for_asking("registry")))
    context = {
        "totals": sum_of(scans, [scan.finished_at for scan in scans]),
        "uncounted": [row for row in active if row.pk not in {scan.registry_id for scan in scans}],
        "freeings": freeings_of(active),
        **_drawn(registries_as_places(scans), active),
    }
    return render(request, "storage/all.html", context)


@require_safe
@readers_only
def page(request: HttpRequest, registry: str) -> HttpResponse:
    """One that is active is known to the frame already."""
    check_may_read(request)
    known = next((row for row in active_registries(request) if row.name == registry), None)
    return _page(request, known or find_registry(request, registry))


def _page(request: HttpRequest, registry: Registry) -> HttpResponse:
    scan, namespace = _last_complete(registry), _namespace(request)
    context = {**_place(request, registry, scan), "freeings": freeings_of([registry])}
    if scan:
        ends = [scan.finished_at]
        totals = totals_in([registry], namespace, [scan]) if namespace else sum_of([scan], ends)
        is_counted = counted_at(scan) is not None
        level = level_at(registry, namespace) if totals and is_counted else None
        places = places_of(registry, namespace, level, totals.stored) if totals and level else []
        context |= {"totals": totals, "is_counted": is_counted, "disk": None if namespace else disk_of(registry)}
        context |= _drawn(places, [] if namespace else [registry])
    return render(request, "storage/page.html", context)


@require_safe
@readers_only
def repositories(request: HttpRequest, registry: str) -> HttpResponse:
    found = find_registry(request, registry)
    scan, order = _last_complete(found), Order.parse(request.GET.get("sort"), REPOSITORIES)
    is_only = [row.pk for row in active_registries(request)] == [found.pk]
    rows = repositories_of(found, _namespace(request), nearly_all=is_only)
    shown = paged(rows, order, request.GET.get("page"))
    as_of = counted_at(scan)
    context = {
        **_place(request, found, scan),
        "page": shown,
        "order": order,
        "rows": [RepositoryBytes(row, as_of) for row in shown.rows],
        "largest": max((row.pushed for row in shown.rows), default=0),
    }
    for row in shown.rows:
        row.registry = found  # its address names it
    return render(request, "storage/repositories.html", context)


@require_safe
@readers_only
def images(request: HttpRequest, registry: str) -> HttpResponse:
    """The largest, and what each of them has alone."""
    found = find_registry(request, registry)
    order = Order.parse(request.GET.get("sort"), IMAGES)
    shown = large_images(found, _namespace(request), order, request.GET.get("page"))
    context = {
        **_place(request, found, _last_complete(found)),
        "page": shown,
        "order": order,
        "largest": max((row.size for row in shown.rows), default=0),
    }
    return render(request, "storage/images.html", context)


@require_safe
@readers_only
def repeated(request: HttpRequest, registry: str) -> HttpResponse:
    """What several repositories hold, and its bytes once."""
    found = find_registry(request, registry)
    order = Order.parse(request.GET.get("sort"), REPEATED)
    shown = repeated_images(found, order, request.GET.get("page"))
    context = {**_place(request, found, _last_complete(found)), "page": shown, "order": order}
    return render(request, "storage/repeated.html", context)


@require_safe
@signed_in_only
def download(request: HttpRequest, registry: str) -> StreamingHttpResponse:
    """All repositories with their bytes, of a namespace where one is named, as CSV."""
    found = find_registry(request, registry)
    as_of = counted_at(_last_complete(found))
    name = table_file.file_name(found.name, as_of)
    headers = {"Content-Type": table_file.MEDIA_TYPE, "Content-Disposition": f'attachment; filename="{name}"'}
    rows = repositories_of(found, _namespace(request))
    lines = table_file.lines_of(rows, found.name, as_of) if request.method == "GET" else ()
    return StreamingHttpResponse(lines, headers=headers)


def _namespace(request: HttpRequest) -> str:
    return typed(request, "namespace").strip("/")


def _last_complete(registry: Registry) -> Scan | None:
    return Scan.objects.complete().filter(registry=registry).newest_first().first()


def _place(request: HttpRequest, registry: Registry, scan: Scan | None) -> dict[str, Any]:
    """Where the page is, and from when what it shows is."""
    namespace = _namespace(request)
    levels = [{"name": path.rpartition("/")[2], "path": path} for path in levels_of(namespace)]
    return {"registry": registry, "scan": scan, "namespace": namespace, "levels": levels}


def _drawn(places: list[Place], registries: list[Registry]) -> dict[str, Any]:
    growth = growth_of(registries) if registries else None
    return {
        "places": places,
        "cells": cells_of(places),
        "largest": max((place.piece.pushed for place in places if place.piece), default=0),
        "growth": growth,
        "line": GrowthLine.of(growth) if growth and growth.is_drawn else None,
    }
