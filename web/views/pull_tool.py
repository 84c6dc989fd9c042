"""Choosing the tool whose commands the pages show."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from access.guards import readers_only
from web.commands.images import TOOLS
from web.pull_tool import keep_tool


@require_POST
@readers_only
def choose(request: HttpRequest) -> HttpResponse:
    """Back to the page where it was chosen: with scripts only its commands are taken out of that."""
    tool, back = request.POST.get("tool", ""), request.POST.get("next", "")
    if tool not in TOOLS:
        return HttpResponseBadRequest()
    here = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    response = redirect(back if here else "/")
    keep_tool(request, response, tool)
    return response
