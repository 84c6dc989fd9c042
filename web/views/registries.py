"""The registries: what each can do, and the pages of staff to add, edit, test and remove one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog import removal
from catalog.models import Repository, RepositoryCard, Scan
from catalog.services import request_scan
from cleanup.models import SweptBlob
from jobs.models import Job
from jobs.processor import given_up
from registries import services
from registries.environment import owners
from registries.findings import findings, realm_host
from registries.models import Registry
from registries.probing import probe
from tagging.models import TrashEntry
from web import sentences
from web.acting import asked_by
from web.registry_forms import RegistryForm
from web.registry_rows import registry_rows

page_or_form = require_http_methods(["GET", "HEAD", "POST"])


@readers_only
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    rows = registry_rows()
    active = [row for row in rows if row.registry.retired_at is None]
    retired = [row for row in rows if row.registry.retired_at is not None]
    return render(request, "registries/list.html", {"active": active, "retired": retired})


@sensitive_post_parameters()
@staff_only
@page_or_form
def add(request: HttpRequest) -> HttpResponse:
    form = RegistryForm(_said(request))
    if form.is_valid():
        try:
            registry = services.add(form.details(), leaving=_leaving(), by=asked_by(request).person)
        except services.RegistryNotSaved as error:
            form.add_error(error.field, sentences.said(str(error)))
        else:
            return _tested(request, registry, _("%(name)s is added.") % {"name": registry.name})
    return render(request, "registries/add.html", {"form": form}, status=422 if form.errors else 200)


@sensitive_post_parameters()
@staff_only
@page_or_form
def edit(request: HttpRequest, name: str) -> HttpResponse:
    registry = get_object_or_404(Registry.objects.active(), name=name)
    form = RegistryForm(_said(request), registry=registry)
    if form.is_valid():
        try:
            edited = services.edit(registry, form.details(), leaving=_leaving(), by=asked_by(request).person)
        except services.RegistryNotSaved as error:
            form.add_error(error.field, sentences.said(str(error)))
        else:
            return _saved(request, edited)
    context = {"registry": registry, "form": form, "findings": findings(registry), "realm_host": _asks_for(registry)}
    return render(request, "registries/edit.html", context, status=422 if form.errors else 200)


@staff_only
@require_POST
def test(request: HttpRequest, name: str) -> HttpResponse:
    registry = get_object_or_404(Registry.objects.active(), name=name)
    return _tested(request, registry, _("%(name)s was tested.") % {"name": name})


@staff_only
@require_POST
def trust(request: HttpRequest, name: str) -> HttpResponse:
    """The yes to the token service that the page showed; to another one that was named meanwhile it is no yes."""
    registry = get_object_or_404(Registry.objects.active(), name=name)
    try:
        services.trust_realm(registry, request.POST.get("realm", ""), asked_by(request).person)
    except services.RegistryNotSaved as error:
        messages.error(request, str(error))
        return redirect("registries-edit", name)
    return _tested(request, registry, _("The credentials of %(name)s may go there now.") % {"name": name})


@staff_only
@page_or_form
def remove(request: HttpRequest, name: str) -> HttpResponse:
    registry = get_object_or_404(Registry.objects.catalogs(), name=name)
    repositories = Repository.objects.filter(registry=registry).count()
    problem = _why_not(registry)
    if request.method == "POST" and not problem:
        try:
            job = removal.request_removal(registry, request.user)  # type: ignore[arg-type]  # let in by staff_only
        except removal.StillWorking as error:  # it has begun since we looked
            problem = sentences.said(str(error))
        else:
            messages.success(request, _("%(name)s is being forgotten. Nothing is changed at it.") % {"name": name})
            return redirect("job", job.pk)
    cards = RepositoryCard.objects.filter(repository__registry=registry).count()
    trash = TrashEntry.objects.alive(timezone.now()).filter(registry=registry).count()
    aside = SweptBlob.objects.unsettled().filter(sweep__registry=registry).count()
    context = {"registry": registry, "repositories": repositories, "cards": cards, "trash": trash, "aside": aside}
    context["problem"] = problem
    return render(request, "registries/remove.html", context, status=409 if request.method == "POST" else 200)


def _asks_for(registry: Registry) -> str:
    """The host of the token service that waits for a yes; nothing where none does."""
    return "" if services.why_no_trust(registry) else realm_host(registry)


def _said(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _leaving() -> set[str]:
    """The job subjects of the registries that are being removed."""
    return set(Job.objects.unfinished().filter(kind=removal.KIND).values_list("subject", flat=True))


def _why_not(registry: Registry) -> str:
    """Why it cannot be removed now; nothing when it can."""
    if registry.embedded and registry.from_environment:
        return _("It is Berth's own, and served as long as Berth is started without --registry.")
    if variable := owners(registry).get("url"):
        return _("%(variable)s names it: start Berth without that first.") % {"variable": variable}
    try:
        removal.check_idle(registry)
    except removal.StillWorking as error:
        return sentences.said(str(error))
    return ""


def _saved(request: HttpRequest, edited: services.Edited) -> HttpResponse:
    name = edited.registry.name
    said = _("%(name)s is saved.") % {"name": name}
    if edited.left is not None:
        removal.stop_work(edited.left)
        said = _("%(name)s is another registry now. Nothing had been read from the old one: it is forgotten.")
        if edited.was_read:
            said = _(
                "%(name)s is another registry now. What was read from the old one stays, as %(old)s; its credentials"
                " are forgotten."
            )
        said %= {"name": name, "old": edited.left.name}
    return _tested(request, edited.registry, said)


def _tested(request: HttpRequest, registry: Registry, said: str) -> HttpResponse:
    """Ask the registry what it can do, and show that beside its form; what can be scanned is scanned at once."""
    with given_up():
        probe(registry)
    if registry.capability("problem"):
        messages.warning(request, said)
    else:
        messages.success(request, said)
        if not Scan.objects.filter(registry=registry).exists() and not isinstance(request.user, AnonymousUser):
            request_scan(registry, request.user)
    return redirect("registries-edit", registry.name)
