"""Where registries tell what has happened: stored as it comes, and thought about later.

A registry tells one thing at a time and, whatever the answer but 2xx or 3xx, tells it again before anything else, for
ever. So all that could be stored is accepted, be it nonsense; 401 is for a wrong secret, and 503 for what could not be
stored. Spec: distribution, "Work with notifications".
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from access.addresses import client_address
from audit import inbox, refusals
from jobs.processor import given_up
from registries import event_secrets
from registries.notifications import PATH

_PIECE: Final = 2**16
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}

log = logging.getLogger(__name__)


class EventsFirst:
    """Middleware that leads what registries tell past all that is there for people.

    They have no session, no language and no token against forgery, and may call Berth by a name that people do not
    use. It is shorter, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and request.path_info.startswith(PATH):
            return receive(request, request.path_info.removeprefix(PATH))
        return self._get_response(request)


@csrf_exempt  # it looks at no cookie: the secret is all that counts
@require_POST
def receive(request: HttpRequest, registry: str) -> HttpResponse:
    """Store what the registry of this name tells."""
    try:
        owner = event_secrets.owner(registry, request.headers.get("Authorization", ""))
        if owner is None:  # then nobody waits for what they send
            if event_secrets.is_expected(registry):  # else there is nobody to alarm
                refusals.note(registry, client_address(request) or "")
            return HttpResponse(status=401, headers={**_HEADERS, "WWW-Authenticate": 'Bearer realm="events"'})
        with given_up():  # a body may come slowly
            body, size = _read(request)
        inbox.store(owner, body, size)
    except (DatabaseError, InterfaceError, UnreadablePostError):
        log.exception("an event of %s could not be stored: the registry keeps it, and tells it again", registry)
        return HttpResponse(status=503, headers={**_HEADERS, "Retry-After": "2"})
    return HttpResponse(status=202, headers=_HEADERS)


def _read(request: HttpRequest) -> tuple[bytes, int]:
    """The body, or the first bytes of one that is too large, and how many it has.

    All of it is taken from the wire, or its sender would not come to read the answer.
    """
    # Django knows no body without a length, as some proxies pass it on; the server ends it for us.
    is_chunked = request.headers.get("Transfer-Encoding", "").lower() == "chunked"
    source = request.META["wsgi.input"] if is_chunked and request.META.get("wsgi.input_terminated") else request
    body = source.read(inbox.LARGEST + 1)
    size = len(body)
    while size > inbox.LARGEST and (piece := source.read(_PIECE)):
        size += len(piece)
    return body[: inbox.LARGEST], size
