"""Where registries tell what has happened: stored as it comes, and thought about later.

A registry tells one thing at a time and, whatever the answer but 2xx or 3xx, tells it again before anything else, for
ever. So all that could be stored is accepted, be it nonsense; 401 is for a wrong secret, and 503 for what could not be
stored. Spec: distribution, "Work with notifications".
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.db import DatabaseError, InterfaceError, close_old_connections
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from access.addresses import address_of
from audit import inbox, refusals
from jobs.processor import given_up
from oci.errors import printable
from registries import event_secrets
from registries.notifications import PATH

_PIECE: Final = 2**16
_SHOWN: Final = 100  # characters of a name that a log shows
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}

log = logging.getLogger(__name__)


class EventsFirst:
    """A WSGI application (PEP 3333) that leads what registries tell past all that is there for people.

    They have no session, no language and no token against forgery, and may call Berth by a name that people do not
    use. It is shorter, too, and a registry waits for each answer before it tells what comes next.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(PATH) or environ.get("REQUEST_METHOD") != "POST":
            return self._application(environ, start_response)
        status, headers = _take(environ, path.removeprefix(PATH))
        start_response(f"{status.value} {status.phrase}", [*headers.items(), ("Content-Length", "0")])
        return []


@csrf_exempt  # it looks at no cookie: the secret is all that counts
@require_POST
def receive(request: HttpRequest, registry: str) -> HttpResponse:
    """Store what the registry of this name tells, where nothing stands before Django."""
    status, headers = _take(request.META, registry)
    return HttpResponse(status=status, headers=headers)


def _take(environ: Mapping[str, Any], registry: str) -> tuple[HTTPStatus, dict[str, str]]:
    try:
        owner = event_secrets.owner(registry, environ.get("HTTP_AUTHORIZATION", ""))
        if owner is None:  # then nobody waits for what they send
            if event_secrets.is_expected(registry):  # else there is nobody to alarm
                refusals.note(registry, address_of(environ) or "")
            return HTTPStatus.UNAUTHORIZED, {**_HEADERS, "WWW-Authenticate": 'Bearer realm="events"'}
        with given_up():  # a body may come slowly
            body, size = _read(environ)
        inbox.store(owner, body, size)
    except (DatabaseError, InterfaceError, OSError) as error:
        name = printable(registry, _SHOWN)
        log.exception("an event of %s could not be stored: the registry keeps it, and tells it again", name)
        if not isinstance(error, OSError):
            close_old_connections()  # it may be the connection that is broken
        return HTTPStatus.SERVICE_UNAVAILABLE, {**_HEADERS, "Retry-After": "2"}
    return HTTPStatus.ACCEPTED, _HEADERS


def _read(environ: Mapping[str, Any]) -> tuple[bytes, int]:
    """The body, or the first bytes of one that is too large, and how many it has. Raises OSError when it breaks off.

    All of it is taken from the wire, or its sender would not come to read the answer.
    """
    announced = environ.get("CONTENT_LENGTH") or ""
    # Some proxies say no length; the server ends it for us.
    is_chunked = environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
    is_open = is_chunked and bool(environ.get("wsgi.input_terminated"))
    length = sys.maxsize if is_open else int(announced) if announced.isdecimal() else 0
    source = environ["wsgi.input"]
    body: bytes = source.read(min(inbox.LARGEST + 1, length))
    size = len(body)
    while inbox.LARGEST < size < length and (piece := source.read(min(_PIECE, length - size))):
        size += len(piece)
    if size < length and not is_open:
        raise ConnectionResetError("the body broke off")
    return body[: inbox.LARGEST], size
