"""The shortcuts of the keyboard, which a page asks for when somebody wants to see them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.guards import readers_only


@require_safe
@readers_only
def shortcuts(request: HttpRequest) -> HttpResponse:
    return render(request, "components/keys.html")
