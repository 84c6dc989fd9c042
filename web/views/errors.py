"""The pages for what went wrong: what happened, what was not changed, what to try."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.views.decorators.csrf import requires_csrf_token


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Plain: a request that was malformed may have no host, session or person to ask for."""
    host = request.META.get("HTTP_HOST", "") if isinstance(exception, DisallowedHost) else ""
    return _without_frame("errors/400.html", 400, {"host": host})


@requires_csrf_token
def denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's signature
    return render(request, "errors/403.html", status=403)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's signature
    return render(request, "errors/404.html", status=404)


def fault(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  Django's signature
    """Asks nothing of the database, which may be what broke: then it is no mistake, and may be over in a moment."""
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _without_frame("errors/500.html", 500)
    response = _without_frame("errors/503.html", 503)
    response["Retry-After"] = "10"
    return response


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "errors/csrf.html", {"reason": reason}, status=403)


def _without_frame(template: str, status: int, context: dict[str, Any] | None = None) -> HttpResponse:
    return HttpResponse(get_template(template).render(context), status=status)
