"""Choosing the tool whose commands the pages show."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from access.guards import readers_only
from web.commands.images import TOOLS
from web.links import page_of_ours
from web.pull_tool import keep_tool


@require_POST
@readers_only
def choose(request: HttpRequest) -> HttpResponse:
    """Back to the page where it was chosen: with scripts only its commands are taken out of that."""
    tool = request.POST.get("tool", "")
    if tool not in TOOLS:
        return HttpResponseBadRequest()
    response = redirect(page_of_ours(request.POST.get("next", "")))
    keep_tool(request, response, tool)
    return response
