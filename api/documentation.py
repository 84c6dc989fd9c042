"""The documentation of the API: the OpenAPI document, and a page of it that asks nobody else for anything."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.guards import readers_only
from access.policy import may_read
from api.answers import answer
from api.problems import problem
from api.v1 import description


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """For a machine, so whoever may not read is told so, and led nowhere."""
    if not may_read(request.user, anonymous_read=settings.ANONYMOUS_READ):
        return problem(request, 401)
    return answer(request, description())


@require_safe
@readers_only
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")
