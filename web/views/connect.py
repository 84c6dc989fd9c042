"""Connect a client: the steps for one registry, one system and one client, and the certificate that they speak of."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.guards import readers_only
from web.connect.choice import CLIENTS, SYSTEMS, Choice
from web.connect.guide import Guide
from web.connect.place import Place
from web.downloads import attachment
from web.finding import find_registry


@require_safe
@readers_only
def page(request: HttpRequest, name: str) -> HttpResponse:
    registry = find_registry(request, name)
    place, choice = Place.of(registry), Choice.read(request)
    context = {
        "registry": registry,
        "place": place,
        "choice": choice,
        "guide": Guide.of(place, choice),
        "systems": SYSTEMS,
        "clients": CLIENTS,
    }
    return render(request, "connect/page.html", context)


@require_safe
@readers_only
def ca_file(request: HttpRequest, name: str) -> HttpResponse:
    """The certificates that Berth trusts for this registry: no form lets a key in among them."""
    registry = find_registry(request, name)
    return attachment(registry.ca.encode() or None, Place.of(registry).ca_file)
