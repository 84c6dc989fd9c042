"""The sources: registries that are only copied from, what each lets us do, and the pages of staff to set them up."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.guards import readers_only, staff_only
from jobs.processor import given_up
from oci.errors import InvalidName, printable
from oci.names import parse_repository, parse_tag
from registries import services
from registries.findings import findings, realm_host
from registries.models import Registry
from registries.presets import PRESETS, preset_called
from registries.probing import probe
from sync.sources import StillUsed, check_unused, rules_from
from sync.sources import remove as remove_source
from web import sentences
from web.acting import asked_by
from web.source_forms import SourceForm
from web.sources_page import own_rows, source_rows

page_or_form = require_http_methods(["GET", "HEAD", "POST"])
_LONGEST_IMAGE: Final = 400
_SAMPLE: Final = "library/alpine:3.20"


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    return render(request, "sync/sources.html", {"sources": source_rows(), "ours": own_rows(), "presets": PRESETS})


@sensitive_post_parameters()
@page_or_form
@staff_only
def add(request: HttpRequest) -> HttpResponse:
    preset = preset_called(request.GET.get("preset", ""))
    form = SourceForm(request.POST if request.method == "POST" else None, preset=preset)
    if form.is_valid():
        try:
            registry = services.add(form.details(), by=asked_by(request).person)
        except services.RegistryNotSaved as error:
            form.refuse(error.field, sentences.said(str(error)))
        else:
            return _tested(request, registry, _("%(name)s is added.") % {"name": registry.name})
    context = {"form": form, "preset": preset, "presets": PRESETS}
    return render(request, "sync/source_add.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters()
@page_or_form
@staff_only
def page(request: HttpRequest, source: str) -> HttpResponse:
    registry = _found(source)
    form = SourceForm(request.POST if request.method == "POST" else None, registry=registry)
    if form.is_valid():
        try:
            edited = services.edit(registry, form.details(), by=asked_by(request).person).registry
        except services.RegistryNotSaved as error:
            form.refuse(error.field, sentences.said(str(error)))
        else:
            return _tested(request, edited, _("%(name)s is saved.") % {"name": edited.name})
    preset = preset_called(registry.preset)
    context = {
        "registry": registry,
        "preset": preset,
        "sample": (preset.sample if preset else "") or _SAMPLE,
        "form": form,
        "findings": findings(registry),
        "realm_host": "" if services.why_no_trust(registry) else realm_host(registry),
        "rules": rules_from(registry),
    }
    return render(request, "sync/source.html", context, status=422 if form.errors else 200)


@require_POST
@staff_only
def test(request: HttpRequest, source: str) -> HttpResponse:
    """With the image that the person named, where they did: a source that is none of the well-known has no other."""
    registry, image = _found(source), printable(request.POST.get("image", ""), _LONGEST_IMAGE)
    try:
        _check_image(image)
    except InvalidName:
        messages.error(request, _("An image is a repository, or a repository, a colon and a tag: library/alpine:3.20"))
        return redirect("sync-source", source)
    return _tested(request, registry, _("%(name)s was tested.") % {"name": source}, image)


@require_POST
@staff_only
def trust(request: HttpRequest, source: str) -> HttpResponse:
    """The yes to the token service that the page showed; to another one that was named meanwhile it is no yes."""
    registry = _found(source)
    try:
        services.trust_realm(registry, request.POST.get("realm", ""), asked_by(request).person)
    except services.RegistryNotSaved as error:
        messages.error(request, str(error))
        return redirect("sync-source", source)
    return _tested(request, registry, _("The credentials of %(name)s may go there now.") % {"name": source})


@page_or_form
@staff_only
def remove(request: HttpRequest, source: str) -> HttpResponse:
    registry, problem = _found(source), ""
    try:
        if request.method == "POST":
            remove_source(registry, asked_by(request).person)
            messages.success(request, _("%(name)s is forgotten. What came from it stays.") % {"name": source})
            return redirect("sync-sources")
        check_unused(registry)
    except StillUsed as error:
        problem = sentences.said(str(error))
    context = {"registry": registry, "problem": problem, "rules": rules_from(registry)}
    return render(request, "sync/source_remove.html", context, status=409 if request.method == "POST" else 200)


def _check_image(image: str) -> None:
    """Raises InvalidName, which what was found of the source would else be taken for."""
    repository, colon, tag = image.partition(":")
    if image:
        parse_repository(repository)
    if colon:
        parse_tag(tag)


def _found(name: str) -> Registry:
    return get_object_or_404(Registry.objects.sources(), name=name)


def _tested(request: HttpRequest, registry: Registry, said: str, image: str = "") -> HttpResponse:
    """Ask the source what a copy would meet, and show that beside its form."""
    with given_up():
        probe(registry, image)
    (messages.warning if registry.capability("problem") else messages.success)(request, said)
    return redirect("sync-source", registry.name)
