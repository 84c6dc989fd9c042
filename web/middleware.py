"""What every answer has in common: it is private, it is not framed, and a registry that fails is explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode

from jobs import visitors
from oci import errors
from web.htmx import wants_part

# What a script asks while it waits for a job or a plan is one too, and what an open page asks by itself.
_PROBES: Final = frozenset({"healthz", "readyz", "api-job", "api-plan", "activity-newer"})
_PROGRESS: Final = frozenset({"job", "sync-run"})
GetResponse = Callable[[HttpRequest], HttpResponse]


class PrivatePages:
    """No cache keeps a page, no other site reads one, and a part that needs a sign-in sends the whole page there."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        return _whole_page_to_sign_in(request, response) if wants_part(request) else response


def _whole_page_to_sign_in(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Or htmx would follow the redirect and put the sign-in form into a corner of the page."""
    sign_in = resolve_url("sign-in")
    if not response.get("Location", "").startswith(sign_in):
        return response
    here = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]  # HtmxMiddleware puts it there
    answer = HttpResponse(status=200, headers={"HX-Redirect": f"{sign_in}?{urlencode({'next': here})}"})
    answer["Cache-Control"] = "private, no-store"
    patch_vary_headers(answer, ["HX-Request", "Cookie"])
    return answer


class Visits:
    """Jobs of this machine hear of everybody who waits for an answer, and not of what asks again by itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        name = request.resolver_match.url_name if request.resolver_match else None
        is_progress = name in _PROGRESS and request.htmx  # type: ignore[attr-defined]  # HtmxMiddleware puts it there
        if name not in _PROBES and not is_progress:
            visitors.note()


# Most particular first: the first class that fits wins.
PAGES: Final[tuple[tuple[type[errors.RegistryError], int, str], ...]] = (
    (errors.NotFound, 404, "not-found"),
    (errors.Unauthorized, 502, "credentials"),
    (errors.Denied, 403, "denied"),
    (errors.Unsupported, 409, "deletes-disabled"),
    (errors.TooManyRequests, 503, "busy"),
    (errors.Unreachable, 504, "unreachable"),
    (errors.InvalidName, 400, "bad-name"),
    (errors.RegistryError, 502, "bad-answer"),
)


class RegistryErrors:
    """A failing registry is the upstream's fault: 502 or 504 with a sentence on what to do, never our 500."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        for kind, status, part in PAGES:
            if isinstance(exception, kind):
                context = {"error": exception, "part": part, "status": status}
                return render(request, "errors/registry.html", context, status=status)
        return None
