"""Whether what registries keep is all there: what is not, its mends, and the checks that say so."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog.reads.keyset import Column, Order, paged
from cleanup import halting, uploads
from cleanup.models import Halt
from cleanup.verifying import services
from cleanup.verifying.terms import Terms
from registries.models import Registry
from tagging.permission import NotPermitted
from web.acting import asked_by
from web.cleanup.check_row import CheckRow
from web.cleanup.health_page import kind_of, page_of, sections, stands
from web.cleanup.overview import standings
from web.context import active_registries
from web.finding import find_check
from web.sentences import said
from web.typed import keys, typed

COLUMNS: Final = {"found": Column("id", int)}
_WAYS: Final = {
    "sample": Terms(sample=services.SAMPLE),
    "all": Terms(),
    "deep": Terms(is_deep=True),
}


@require_safe
@readers_only
def overview(request: HttpRequest) -> HttpResponse:
    """All of cleanup: how each registry stands, and where to go on."""
    return render(request, "cleanup/overview.html", {"standings": standings(active_registries(request))})


@require_safe
@readers_only
def page(request: HttpRequest) -> HttpResponse:
    chosen = _chosen(request)
    context = {"stands": stands(chosen), "sections": sections(chosen), "registry": typed(request, "registry")}
    return render(request, "cleanup/health.html", context)


@require_safe
@readers_only
def listing(request: HttpRequest, kind: str) -> HttpResponse:
    """All of one kind."""
    of_it = kind_of(kind)
    found = page_of(of_it, _chosen(request), request.GET.get("page"))
    return render(request, "cleanup/kind.html", {"kind": of_it, "page": found, "registry": typed(request, "registry")})


@require_safe
@readers_only
def check(request: HttpRequest, check_id: int) -> HttpResponse:
    row = find_check(request, check_id)
    found = paged(row.findings.all(), Order.parse(None, COLUMNS), request.GET.get("page"))
    return render(request, "cleanup/check.html", {"row": CheckRow(row), "check": row, "page": found})


@require_POST
@staff_only
def verify(request: HttpRequest) -> HttpResponse:
    """To the check: a new one, or the one of this registry that is under way."""
    registry = _registry(request)
    repository = request.POST.get("repository", "")
    terms = Terms(repository=repository) if repository else _WAYS.get(request.POST.get("how", ""), _WAYS["sample"])
    try:
        begun, _job, is_new = services.begin(registry, terms, asked_by(request).person)
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
        return redirect("cleanup-health")
    if not is_new:
        messages.info(request, gettext("A check of this registry is under way already: this is it."))
    return redirect(begun)


@require_POST
@staff_only
def lift(request: HttpRequest) -> HttpResponse:
    row = get_object_or_404(Halt.objects.select_related("registry"), pk__in=keys(request.POST.getlist("halt")[:1]))
    if halting.lift(row, asked_by(request).person):
        messages.success(request, gettext("Sweeps of %(name)s may run again.") % {"name": row.registry.name})
    return redirect("cleanup-health")


@require_POST
@staff_only
def clear_uploads(request: HttpRequest) -> HttpResponse:
    """To its job."""
    try:
        job, _is_new = uploads.request_clearing(_registry(request), asked_by(request).person)
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
        return redirect("cleanup-health")
    return redirect("job", job.pk)


def _chosen(request: HttpRequest) -> list[Registry]:
    """The active registries, or the one that the address names."""
    name = typed(request, "registry")
    return [row for row in active_registries(request) if name in {"", row.name}]


def _registry(request: HttpRequest) -> Registry:
    return get_object_or_404(Registry.objects.active(), name=request.POST.get("registry", ""))
