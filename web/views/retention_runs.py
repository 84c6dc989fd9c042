"""The runs of retention: all of them, and what one does, with what a person can do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog.reads.keyset import Column, Order, paged
from cleanup.models import Policy, RetentionRun
from cleanup.retention import services
from registries.models import Registry
from tagging.permission import NotPermitted
from web.acting import asked_by
from web.cleanup.retention_run_page import RunPage
from web.cleanup.retention_run_row import RunRow, with_registry_and_job
from web.finding import find_retention_run
from web.htmx import render_page, wants_part
from web.sentences import said
from web.typed import names, typed

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    name = typed(request, "registry")
    rows = RetentionRun.objects.filter(registry__name=name) if name else RetentionRun.objects.all()
    page = paged(rows, Order.parse(None, COLUMNS), request.GET.get("page"), whole=with_registry_and_job)
    return render(
        request, "cleanup/runs.html", {"page": page, "rows": [RunRow(run) for run in page.rows], "name": name}
    )


@require_safe
@readers_only
def page(request: HttpRequest, run_id: int) -> HttpResponse:
    """The page, and the part of it that polls until its job moves no more: then the whole page is fetched."""
    about = RunPage(request, find_retention_run(request, run_id))
    response = render_page(
        request, "cleanup/run.html", {"about": about, "run": about.run}, part="cleanup/run_live.html"
    )
    if wants_part(request) and not about.row.is_moving:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@staff_only
def begin(request: HttpRequest) -> HttpResponse:
    """A plan of a registry, or of what one policy of it decides on; to its page, or that of the run under way."""
    registry = get_object_or_404(Registry.objects.active(), name__in=names(request, "registry")[:1])
    among = [get_object_or_404(Policy, registry=registry, name=name) for name in names(request, "policy")[:1]]
    return _planned(request, registry, among)


@require_POST
@staff_only
def again(request: HttpRequest, run_id: int) -> HttpResponse:
    """A new plan of what this run was about, by the policies as they are now."""
    run = find_retention_run(request, run_id)
    among = list(Policy.objects.filter(pk__in=run.policies, registry=run.registry_id))
    if run.policies and not among:
        messages.warning(request, _("The policies that it was about are gone."))
        return redirect(run)
    return _planned(request, run.registry, among)


@require_POST
@staff_only
def carry_on(request: HttpRequest, run_id: int) -> HttpResponse:
    """What was planned, or the rest of it, and what failed once more."""
    run, allow = find_retention_run(request, run_id), request.POST.get("allow") == "1"
    if run.state == RetentionRun.State.DONE and not run.tags.filter(state="failed").exists():
        messages.info(request, _("It was carried out already."))
        return redirect(run)
    return _done(request, run, lambda: services.carry_on(run, asked_by(request).person, allow=allow))


@require_POST
@staff_only
def stop(request: HttpRequest, run_id: int) -> HttpResponse:
    """One that waits has no job that could be stopped."""
    run = find_retention_run(request, run_id)
    return _done(request, run, lambda: services.stop(run, asked_by(request).person))


def _planned(request: HttpRequest, registry: Registry, among: list[Policy]) -> HttpResponse:
    try:
        run, _job = services.begin(registry, asked_by(request).person, only_plan=True, policies=among)
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
        return redirect("cleanup-policies")
    if run.policies != [policy.pk for policy in among]:
        messages.info(request, _("Another run of this registry is under way: this is it."))
    return redirect(run)


def _done(request: HttpRequest, run: RetentionRun, do: Callable[[], object]) -> HttpResponse:
    try:
        do()
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
    return redirect(run)
