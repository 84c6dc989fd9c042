"""Whole pages and the parts of them that htmx asks for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    htmx: HtmxDetails


def wants_part(request: HttpRequest) -> bool:
    """A restored history entry and a boosted link are htmx requests for a whole page."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # HtmxMiddleware puts it there
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(request: HttpRequest, template: str, context: dict[str, Any], *, part: str) -> HttpResponse:
    """Render `template`, or only `part`, the template that it includes, when htmx asks for just that."""
    asked_for_part = wants_part(request)
    response = render(request, part if asked_for_part else template, {**context, "is_part": asked_for_part})
    patch_vary_headers(response, ["HX-Request"])
    return response
