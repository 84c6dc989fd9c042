"""The watched repositories of a registry whose catalog may not be read: see them, name some, let some go."""

from __future__ import annotations

import re
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog import watching
from catalog.models import Scan
from registries.models import Registry
from web.finding import find_registry
from web.watched_page import watched_page

_BETWEEN_NAMES: Final = re.compile(r"[\s,]+")


@require_safe
@readers_only
def listing(request: HttpRequest, name: str) -> HttpResponse:
    return _page(request, find_registry(request, name), None)


@require_POST
@staff_only
def watch(request: HttpRequest, name: str) -> HttpResponse:
    registry = get_object_or_404(Registry.objects.active(), name=name)
    said = watching.watch(registry, _BETWEEN_NAMES.split(request.POST.get("names", "")))
    if said.added:
        count = len(said.added)
        sentence = ngettext(
            "%(n)s repository more is watched: the next scan reads it.",
            "%(n)s repositories more are watched: the next scan reads them.",
            count,
        )
        messages.success(request, sentence % {"n": count})
    elif not said.refused:
        known = gettext("Nothing new: those are watched already.")
        messages.info(request, known if said.already else gettext("No name was given."))
    return _page(request, registry, said) if said.refused else redirect("registries-watched", name)


@require_POST
@staff_only
def unwatch(request: HttpRequest, name: str) -> HttpResponse:
    registry = get_object_or_404(Registry.objects.active(), name=name)
    count = watching.unwatch(registry, request.POST.getlist("names"))
    sentence = ngettext(
        "%(n)s repository is watched no more. What was read of it stays.",
        "%(n)s repositories are watched no more. What was read of them stays.",
        count,
    )
    messages.success(request, sentence % {"n": count})
    return redirect("registries-watched", name)


def _page(request: HttpRequest, registry: Registry, said: watching.Watched | None) -> HttpResponse:
    last = Scan.objects.filter(registry=registry).newest_first().first()
    section = watched_page(registry, last, request.GET.get("page"), said=said)
    context = {"registry": registry, "watched": section}
    return render(request, "registry/watched.html", context, status=422 if said else 200)
