"""The sweep by commands: which way each registry has, the runs, and one run with its commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, signed_in_only, staff_only
from catalog.reads.keyset import Column, Order, paged
from cleanup.classic import services
from cleanup.classic.ways import NoWay
from cleanup.models import ClassicRun
from jobs.models import Job
from registries.models import Registry
from tagging.permission import NotPermitted
from web.acting import asked_by
from web.cleanup.commands_page import TEMPLATE_NAMES, CommandsPage, last_closed, template_of, way_stands
from web.cleanup.stands import whole
from web.cleanup.work_row import WorkRow
from web.context import active_registries
from web.downloads import attachment
from web.finding import find_classic_run, find_step
from web.htmx import render_page, wants_part
from web.sentences import said
from web.typed import typed

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    name = typed(request, "registry")
    chosen = [row for row in active_registries(request) if name in {"", row.name}]
    runs = ClassicRun.objects.filter(registry__name=name) if name else ClassicRun.objects.all()
    page = paged(runs, Order.parse(None, COLUMNS), request.GET.get("page"), whole=whole)
    kind, content = template_of(typed(request, "template"))
    context = {
        "stands": way_stands(chosen),
        "page": page,
        "rows": [WorkRow(run) for run in page.rows],
        "registry": name,
        "kinds": TEMPLATE_NAMES,
        "kind": kind,
        "content": content,
    }
    return render(request, "cleanup/commands/list.html", context)


@require_safe
@readers_only
def page(request: HttpRequest, collection_id: int) -> HttpResponse:
    """The page, and the part of it that polls until its job moves no more: then the whole page is fetched."""
    about = CommandsPage(request, find_classic_run(request, collection_id))
    context = {"about": about, "run": about.run}
    response = render_page(request, "cleanup/commands/run.html", context, part="cleanup/commands/live.html")
    if wants_part(request) and not about.row.is_moving:
        response["HX-Refresh"] = "true"
    return response


@require_safe
@signed_in_only
def output(request: HttpRequest, collection_id: int, step_id: int) -> HttpResponse:
    """All that is kept of what one command printed."""
    step = find_step(request, collection_id, step_id)
    return attachment(step.output.encode(), f"{step.kind}-{step.pk}.txt", "text/plain; charset=utf-8")


@require_POST
@staff_only
def begin(request: HttpRequest) -> HttpResponse:
    """To the run: a new one, or the one of this registry that is under way. All but a dry run asks first."""
    registry = get_object_or_404(Registry.objects.active(), name=request.POST.get("registry", ""))
    only_plan = request.POST.get("how") != "now"
    if not only_plan and request.POST.get("sure") != "1":
        return _confirm(request, registry)
    person = asked_by(request).person
    return _begun(request, lambda: services.begin(registry, person, only_plan=only_plan)[1], "cleanup-commands")


@require_POST
@staff_only
def carry_on(request: HttpRequest, collection_id: int) -> HttpResponse:
    """To collect what a dry run found, to try again what broke off, or to open what was left closed."""
    run = find_classic_run(request, collection_id)
    if run.state == ClassicRun.State.DONE and not run.is_closed:
        messages.info(request, gettext("It was carried out already."))
        return redirect(run)
    if not run.is_closed and request.POST.get("sure") != "1":
        return _confirm(request, run.registry, run)
    return _begun(request, lambda: services.carry_on(run, asked_by(request).person), run.get_absolute_url())


@require_POST
@staff_only
def stop(request: HttpRequest, collection_id: int) -> HttpResponse:
    run = find_classic_run(request, collection_id)
    try:
        if not services.stop(run, asked_by(request).person):
            messages.info(request, gettext("It had already ended."))
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
    return redirect(run)


def _confirm(request: HttpRequest, registry: Registry, run: ClassicRun | None = None) -> HttpResponse:
    closed_for = last_closed([registry]).get(registry.pk)
    context = {"registry": registry, "run": run, "closed_for": closed_for}
    return render(request, "cleanup/commands/confirm.html", context)


def _begun(request: HttpRequest, begin: Callable[[], Job], otherwise: str) -> HttpResponse:
    """To the run whose job it is: another may be under way."""
    try:
        job = begin()
    except (NoWay, NotPermitted) as reason:
        messages.error(request, said(str(reason)))
        return redirect(otherwise)
    return redirect("cleanup-commands-run", job.params["run"])
