"""Manifests that nothing reaches: how each registry stands, the runs that find and delete them, and one run."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog.reads.keyset import Column, Order, paged
from cleanup.models import Timetable, UntaggedRun
from cleanup.untagged import services
from registries.models import Registry
from tagging.permission import NotPermitted
from web.acting import asked_by
from web.cleanup.stands import stands_of, whole
from web.cleanup.untagged_page import UntaggedPage
from web.cleanup.work_row import WorkRow
from web.context import active_registries
from web.finding import find_untagged_run
from web.htmx import render_page, wants_part
from web.sentences import said
from web.typed import typed

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    name = typed(request, "registry")
    chosen = [row for row in active_registries(request) if name in {"", row.name}]
    runs = UntaggedRun.objects.filter(registry__name=name) if name else UntaggedRun.objects.all()
    page = paged(runs, Order.parse(None, COLUMNS), request.GET.get("page"), whole=whole)
    context = {
        "stands": stands_of(chosen, UntaggedRun, Timetable.Work.UNTAGGED),
        "page": page,
        "rows": [WorkRow(run) for run in page.rows],
        "registry": name,
        "most": services.MOST_GRACE,
    }
    return render(request, "cleanup/untagged/list.html", context)


@require_safe
@readers_only
def page(request: HttpRequest, untagged_id: int) -> HttpResponse:
    """The page, and the part of it that polls until its job moves no more: then the whole page is fetched."""
    about = UntaggedPage(request, find_untagged_run(request, untagged_id))
    context = {"about": about, "run": about.run}
    response = render_page(request, "cleanup/untagged/run.html", context, part="cleanup/untagged/live.html")
    if wants_part(request) and not about.row.is_moving:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@staff_only
def begin(request: HttpRequest) -> HttpResponse:
    """To the run: a new one, or the one of this registry that is under way. What deletes at once asks first."""
    registry = get_object_or_404(Registry.objects.active(), name=request.POST.get("registry", ""))
    hours = _hours(request.POST.get("grace_hours", ""))
    if hours is None:
        words = gettext("The grace time is a whole number of hours, from 0 to %(most)s.")
        messages.error(request, words % {"most": f"{services.MOST_GRACE:,}"})
        return redirect("cleanup-untagged")
    only_plan = request.POST.get("how") != "now"
    if not only_plan and request.POST.get("sure") != "1":
        return render(request, "cleanup/untagged/confirm.html", {"registry": registry, "hours": hours})
    try:
        run, _job = services.begin(registry, asked_by(request).person, only_plan=only_plan, grace_hours=hours)
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
        return redirect("cleanup-untagged")
    return redirect(run)


@require_POST
@staff_only
def carry_on(request: HttpRequest, untagged_id: int) -> HttpResponse:
    """To the run, or to another of that registry that is under way."""
    run = find_untagged_run(request, untagged_id)
    if run.state == UntaggedRun.State.DONE:
        messages.info(request, gettext("It was carried out already."))
        return redirect(run)
    try:
        at_work, _job = services.carry_on(run, asked_by(request).person)
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
        return redirect(run)
    if at_work.pk != run.pk:
        messages.info(request, gettext("Another run of this registry is under way: this is it."))
    return redirect(at_work)


@require_POST
@staff_only
def stop(request: HttpRequest, untagged_id: int) -> HttpResponse:
    run = find_untagged_run(request, untagged_id)
    try:
        if not services.stop(run, asked_by(request).person):
            messages.info(request, gettext("It had already ended."))
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
    return redirect(run)


def _hours(text: str) -> int | None:
    """None where it is no number of hours that can be."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(services.MOST_GRACE))
    return int(text) if is_number and int(text) <= services.MOST_GRACE else None
