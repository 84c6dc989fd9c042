"""What went wrong, as JSON (RFC 9457): what happened and what to try, and nothing of what is inside."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, NotRequired

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from pydantic import Field
from typing_extensions import TypedDict

from api.parameters import UnfitCursor

MEDIA_TYPE: Final = "application/problem+json"
# No browser asks for a password by itself: whoever may read signs in on the page of that name.
CHALLENGE: Final = 'Cookie realm="Berth", form-action="/sign-in"'
_DETAILS: Final[Mapping[int, str]] = {
    400: "This request cannot be understood. Is it addressed to a name that Berth answers to?",
    401: "Only whoever has signed in may read here. Send the cookie of a session, as a browser does.",
    403: "You may read, but not do this.",
    404: "There is nothing at this address. A name may be misspelt, or no scan has seen it yet.",
    405: "This address can only be read.",
    412: "What is here now is not what If-Match or If-Unmodified-Since asked for.",
    422: "Some parameter has no meaning here; see errors.",
    500: "Berth made a mistake. The reason is in its log.",
    503: "Berth cannot use its database just now. Try again in a moment.",
}


class ParameterError(TypedDict):
    parameter: Annotated[str, Field(examples=["limit"])]
    detail: Annotated[str, Field(examples=["Input should be less than or equal to 200"])]


class Problem(TypedDict):
    """RFC 9457. `type` is about:blank: the status says it all."""

    type: Annotated[str, Field(examples=["about:blank"])]
    title: Annotated[str, Field(description="The words of the status.", examples=["Not Found"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str, Field(description="What happened and what to try.", examples=[_DETAILS[404]])]
    instance: Annotated[str, Field(description="The path that was asked for.", examples=["/api/v1/nothing"])]
    errors: NotRequired[Annotated[list[ParameterError], Field(description="Only of 422: what is wrong with what.")]]


def problem(request: HttpRequest, status: int, errors: list[ParameterError] | None = None) -> HttpResponse:
    """The answer of that status; it is for whoever asked, and nobody keeps it."""
    said = said_of(status, escape_uri_path(request.path))
    if errors is not None:
        said["errors"] = errors
    response = HttpResponse(json.dumps(said), status=status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "private, no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = CHALLENGE
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "10"
    return response


def said_of(status: int, instance: str) -> Problem:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _DETAILS[status],
        "instance": instance,
    }


# -- what ninja tells us ------------------------------------------------------------


def add_handlers(api: NinjaAPI) -> None:
    """What an operation raises. Any other exception is Django's: it logs it, and asks `fault` for the answer."""
    api.add_exception_handler(Http404, lambda request, _: problem(request, 404))
    api.add_exception_handler(AuthenticationError, lambda request, _: problem(request, 401))
    api.add_exception_handler(ValidationError, _unfit)
    api.add_exception_handler(UnfitCursor, _unfit_cursor)
    api.add_exception_handler(Exception, _raise)


def _unfit(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    """Without the values: who asked knows them, and a log of answers need not."""
    errors = () if isinstance(error, type) else error.errors  # ninja's types would let it be the class alone
    found: list[ParameterError] = [{"parameter": str(said["loc"][-1]), "detail": str(said["msg"])} for said in errors]
    return problem(request, 422, found)


def _unfit_cursor(request: HttpRequest, _: UnfitCursor | type[UnfitCursor]) -> HttpResponse:
    detail = "no cursor of this list in this order: take it from next or previous, with the same parameters"
    return problem(request, 422, [{"parameter": "cursor", "detail": detail}])


def _raise(_: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    raise error


# -- what Django asks for; the roof chooses by the address -----------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's signature
    return problem(request, 400)


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's signature
    return problem(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's signature
    return problem(request, 404)


def fault(request: HttpRequest, *_: Any) -> HttpResponse:
    """A database that is away is no mistake, and may be over in a moment."""
    return problem(request, 503 if isinstance(sys.exc_info()[1], OperationalError | InterfaceError) else 500)
