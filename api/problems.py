"""What went wrong, as JSON (RFC 9457): what happened and what to try, and nothing of what is inside."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, NotRequired, Self

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field
from typing_extensions import TypedDict

from api.parameters import UnfitCursor
from oci.errors import printable
from tagging.permission import NotPermitted
from tagging.planning import NotPlanned

MEDIA_TYPE: Final = "application/problem+json"
# No browser asks for a password by itself: whoever may read signs in on the page of that name.
CHALLENGE: Final = 'Cookie realm="Berth", form-action="/sign-in"'
_NAMED: Final = 20  # of the parameters without a meaning
_IN_A_SCHEMA: Final = 3  # steps to a parameter; behind it stands the kind that it is not
_NAME_LENGTH: Final = 100
_DETAILS: Final[Mapping[int, str]] = {
    400: "This request cannot be understood. Is it addressed to a name that Berth answers to?",
    401: "Only whoever has signed in may do this. Send the cookie of a session, as a browser does.",
    403: "You may read, but not do this.",
    404: "There is nothing at this address. A name may be misspelt, or no scan has seen it yet.",
    405: "This address does not take this method; see Allow.",
    409: "This cannot be done as things are now.",
    412: "What is here now is not what If-Match or If-Unmodified-Since asked for.",
    413: "A request may have at most a mebibyte.",
    415: "What is sent here has to be JSON, and to say so: Content-Type: application/json.",
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


class Refusal(Exception):  # noqa: N818  it says what is refused, and why
    """The answer is a problem of this status; `detail` is a sentence on it where there is more to say than usual."""

    def __init__(self, status: int, detail: str = "", errors: list[ParameterError] | None = None) -> None:
        super().__init__(status)
        self.status, self.detail, self.errors = status, detail, errors

    @classmethod
    def of(cls, parameter: str, detail: str) -> Self:
        """A parameter has no meaning."""
        return cls(422, errors=[{"parameter": parameter, "detail": detail}])


def problem(
    request: HttpRequest, status: int, errors: list[ParameterError] | None = None, detail: str = ""
) -> HttpResponse:
    """The answer of that status; it is for whoever asked, and nobody keeps it."""
    said = said_of(status, escape_uri_path(request.path))
    said["detail"] = detail or said["detail"]
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
    api.add_exception_handler(HttpError, _no_json)
    api.add_exception_handler(UnfitCursor, _unfit_cursor)
    api.add_exception_handler(Refusal, _refused)
    api.add_exception_handler(NotPlanned, lambda request, said: problem(request, 409, detail=str(said)))
    api.add_exception_handler(NotPermitted, lambda request, said: problem(request, 403, detail=str(said)))
    api.add_exception_handler(Exception, _raise)


def _unfit(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    """Without the values: who asked knows them, and a log of answers need not."""
    errors = () if isinstance(error, type) else error.errors  # ninja's types would let it be the class alone
    details: dict[str, list[str]] = {}  # a parameter of several kinds is wrong as each of them
    for said in errors[:_NAMED]:
        details.setdefault(_parameter(said["loc"]), []).append(str(said["msg"]))
    found: list[ParameterError] = [
        {"parameter": name, "detail": "; ".join(sentences)} for name, sentences in details.items()
    ]
    return problem(request, 422, found)


def _parameter(loc: Sequence[str | int]) -> str:
    """Its name; of one inside the body the way to it, as in `target.tag` or `tags.3`."""
    if loc[0] != "body":
        return str(loc[2] if len(loc) > _IN_A_SCHEMA else loc[-1])
    return printable(".".join(str(part) for part in loc[2:]), _NAME_LENGTH) or "body"


def _no_json(request: HttpRequest, _: HttpError | type[HttpError]) -> HttpResponse:
    """The one thing of which ninja says so itself."""
    return problem(request, 422, [{"parameter": "body", "detail": "no JSON"}])


def _refused(request: HttpRequest, refusal: Refusal | type[Refusal]) -> HttpResponse:
    assert isinstance(refusal, Refusal)  # noqa: S101  ninja's types would let it be the class alone
    return problem(request, refusal.status, refusal.errors, refusal.detail)


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
