"""The runs of rules: all of them, and what one does, with what a person can do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog.reads.keyset import Column, Order, paged
from sync import services
from sync.models import Run
from sync.promoting import plan_roll_back
from tagging.permission import NotPermitted
from web.acting import asked_by, to_plan
from web.finding import find_item, find_run
from web.htmx import render_page, wants_part
from web.sentences import said
from web.sync.run_page import RunPage
from web.sync.run_row import RunRow, with_places

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    page = paged(Run.objects.all(), Order.parse(None, COLUMNS), request.GET.get("page"), whole=with_places)
    return render(request, "sync/runs.html", {"page": page, "rows": [RunRow(run) for run in page.rows]})


@require_safe
@readers_only
def page(request: HttpRequest, run_id: int) -> HttpResponse:
    """The page, and the part of it that polls until its job moves no more: then the whole page is fetched."""
    about = RunPage(request, find_run(request, run_id))
    response = render_page(request, "sync/run.html", {"about": about, "run": about.run}, part="sync/live.html")
    if wants_part(request) and not about.row.is_moving:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@staff_only
def carry_on(request: HttpRequest, run_id: int) -> HttpResponse:
    run = find_run(request, run_id)
    return _begun(request, run, lambda: services.carry_on(run, asked_by(request).person))


@require_POST
@staff_only
def weigh(request: HttpRequest, run_id: int) -> HttpResponse:
    run = find_run(request, run_id)
    return _begun(request, run, lambda: services.weigh(run, asked_by(request).person))


@require_POST
@staff_only
def try_again(request: HttpRequest, run_id: int) -> HttpResponse:
    run = find_run(request, run_id)
    return _begun(request, run, lambda: services.try_again(run, asked_by(request).person))


@require_POST
@staff_only
def stop(request: HttpRequest, run_id: int) -> HttpResponse:
    """One that waits has no job that could be stopped."""
    run = find_run(request, run_id)
    return _begun(request, run, lambda: services.stop(run, asked_by(request).person))


@require_POST
@staff_only
def roll_back(request: HttpRequest, run_id: int, position: int) -> HttpResponse:
    """To a plan that points the tag of this item to where it pointed before."""
    item = find_item(request, run_id, position)
    return to_plan(request, lambda: plan_roll_back(item, asked_by(request).person), item.run.get_absolute_url())


def _begun(request: HttpRequest, run: Run, begin: Callable[[], object]) -> HttpResponse:
    try:
        begin()
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
    return redirect(run)
