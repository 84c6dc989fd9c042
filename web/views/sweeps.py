"""Sweeps while the registry runs: all of them, what one does, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog.reads.keyset import Column, Order, paged
from cleanup.models import Sweep
from cleanup.sweeping import services
from cleanup.sweeping.ground import terms_of
from cleanup.sweeping.terms import InvalidTerms, lacks, save
from jobs.models import Job
from jobs.running import JobFailed
from registries.models import Registry
from tagging.permission import NotPermitted
from web.acting import asked_by
from web.cleanup.sweep_page import SweepPage
from web.cleanup.sweep_places import places
from web.cleanup.sweep_row import SweepRow, with_places
from web.cleanup.terms_form import TermsForm
from web.context import active_registries
from web.finding import find_sweep
from web.htmx import render_page, wants_part
from web.sentences import said
from web.typed import typed

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
page_or_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    name = typed(request, "registry")
    chosen = [row for row in active_registries(request) if name in {"", row.name}]
    sweeps = Sweep.objects.filter(registry__name=name) if name else Sweep.objects.all()
    page = paged(sweeps, Order.parse(None, COLUMNS), request.GET.get("page"), whole=with_places)
    rows = [SweepRow(sweep) for sweep in page.rows]
    return render(
        request, "cleanup/sweeps.html", {"page": page, "rows": rows, "places": places(chosen), "registry": name}
    )


@require_safe
@readers_only
def page(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """The page, and the part of it that polls until its job moves no more: then the whole page is fetched."""
    about = SweepPage(request, find_sweep(request, sweep_id))
    context = {"about": about, "sweep": about.sweep}
    response = render_page(request, "cleanup/sweep.html", context, part="cleanup/sweep_live.html")
    if wants_part(request) and not about.row.is_moving:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@staff_only
def begin(request: HttpRequest) -> HttpResponse:
    """To the sweep: a new one, or the one of this registry that is under way."""
    registry = get_object_or_404(Registry.objects.active(), name=request.POST.get("registry", ""))
    only_plan = request.POST.get("how") != "now"
    try:
        sweep, _ = services.begin(registry, asked_by(request).person, only_plan=only_plan)
    except (NotPermitted, JobFailed) as reason:
        messages.error(request, said(str(reason)))
        return redirect("sweeps")
    return redirect(sweep)


@require_POST
@staff_only
def carry_on(request: HttpRequest, sweep_id: int) -> HttpResponse:
    sweep = find_sweep(request, sweep_id)
    return _begun(request, sweep, lambda: services.carry_on(sweep, asked_by(request).person))


@page_or_form
@staff_only
def delete_now(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """A question first: it cannot be undone."""
    sweep = find_sweep(request, sweep_id)
    about = SweepPage(request, sweep)
    if request.method == "POST":
        return _begun(request, sweep, lambda: services.delete_now(sweep, asked_by(request).person))
    if not about.may_delete_now:
        return redirect(sweep)
    return render(request, "cleanup/sweep_delete.html", {"about": about, "sweep": sweep})


@require_POST
@staff_only
def undo(request: HttpRequest, sweep_id: int) -> HttpResponse:
    sweep = find_sweep(request, sweep_id)
    return _begun(request, sweep, lambda: services.undo(sweep, asked_by(request).person))


@require_POST
@staff_only
def stop(request: HttpRequest, sweep_id: int) -> HttpResponse:
    sweep = find_sweep(request, sweep_id)
    services.stop(sweep, asked_by(request).person)
    return redirect(sweep)


@sensitive_post_parameters()
@page_or_form
@staff_only
def terms(request: HttpRequest, registry: str) -> HttpResponse:
    row = get_object_or_404(Registry.objects.active(), name=registry)
    form = TermsForm(request.POST if request.method == "POST" else None, registry=row, terms=terms_of(row))
    if form.is_valid():
        try:
            save(row, form.details(), asked_by(request).person)
        except InvalidTerms as error:
            form.refuse(error)
        else:
            messages.success(request, gettext("The terms of the sweeps of %(name)s are saved.") % {"name": row.name})
            return redirect("sweeps")
    context = {"registry": row, "form": form, "lacks": lacks(row, terms_of(row))}
    return render(request, "cleanup/sweep_terms.html", context, status=422 if form.errors else 200)


def _begun(request: HttpRequest, sweep: Sweep, begin: Callable[[], Job]) -> HttpResponse:
    try:
        begin()
    except (NotPermitted, JobFailed) as reason:
        messages.error(request, said(str(reason)))
    return redirect(sweep)
