"""The door of the API: who may come in, and how an operation is declared."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, Final, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import Router
from ninja.security import APIKeyCookie
from ninja.utils import check_csrf

from access.models import User
from access.policy import may_read
from api.problems import Problem, Refusal, problem
from tagging.permission import check_may_administer

ViewT = TypeVar("ViewT", bound=Callable[..., HttpResponseBase])

_PROBLEMS: Final = (401, 404, 422, 503)  # that an operation may answer; 500 is no promise
_PROBLEMS_OF_ACTS: Final = (401, 403, 404, 409, 413, 415, 422, 503)
_LARGEST: Final = 2**20  # bytes of a request
_JSON: Final = "application/json"
_HOW_TO_ACT: Final = (
    "To act takes a token besides the session: the cookie csrftoken, sent once more in the header X-CSRFToken."
    " Over https Berth also wants to know where you come from: Referer, or Origin."
)
_TOKEN: Final = {
    "in": "header",
    "name": "X-CSRFToken",
    "required": True,
    "schema": {"type": "string"},
    "description": "The value of the cookie csrftoken, which no other site can read.",
}


class Reader(APIKeyCookie):
    """Whoever may read the pages, by the same session."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # who only reads changes nothing

    def __call__(self, request: HttpRequest) -> bool:
        return may_read(request.user, anonymous_read=settings.ANONYMOUS_READ)

    def authenticate(self, request: HttpRequest, key: str | None) -> bool:  # noqa: ARG002  ninja's signature
        return self(request)


class Actor(APIKeyCookie):
    """Whoever may change something: staff, by the same session, and by a token that no other site can send along."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self, media_types: tuple[str, ...] = (_JSON,), largest: int = _LARGEST) -> None:
        """A body is of one of `media_types`, and has at most `largest` bytes."""
        super().__init__()
        self._media_types, self._largest = media_types, largest

    def __call__(self, request: HttpRequest) -> bool:
        """Raises Refusal and NotPermitted; what would not be understood is not even read."""
        if not request.user.is_authenticated or not request.user.is_active:
            return False
        self._check_body(request)
        if check_csrf(request) is not None:
            raise Refusal(403, _HOW_TO_ACT)
        check_may_administer(request.user)
        return True

    def authenticate(self, request: HttpRequest, key: str | None) -> bool:  # noqa: ARG002  ninja's signature
        return self(request)

    def _check_body(self, request: HttpRequest) -> None:
        """Raises Refusal."""
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length > self._largest:
            raise Refusal(413, "" if self._largest == _LARGEST else f"At most {self._largest:,} bytes are taken here.")
        if length and request.content_type not in self._media_types:
            said = " or ".join(self._media_types)
            raise Refusal(415, "" if said == _JSON else f"What is sent here says what it is: Content-Type: {said}.")


def person_of(request: HttpRequest) -> User:
    """Whom `Actor` let in."""
    assert isinstance(request.user, User)  # noqa: S101  the door is before the view
    return request.user


def reads(
    router: Router, path: str, name: str, shape: Any, *, media_types: tuple[str, ...] = ()
) -> Callable[[ViewT], ViewT]:
    """A view that answers GET and HEAD at `path` with `shape`; `name` is that of its address.

    As JSON, or as any of `media_types`, which are told as text.

    The first line of its docstring is the summary in the documentation, the rest the description.
    """
    problems = {status: Problem for status in _PROBLEMS if status != HTTPStatus.NOT_FOUND or "{" in path}

    content = {media_type: {"schema": {"type": "string"}} for media_type in media_types}
    extra = {"openapi_extra": {"responses": {200: {"content": content}}}} if content else {}

    def declare(view: ViewT) -> ViewT:
        said = _said(view, name) | extra
        return router.api_operation(["GET", "HEAD"], path, **said, response={200: shape, **problems})(view)

    return declare


def acts(  # noqa: PLR0913  each is a part of an operation
    router: Router,
    method: str,
    path: str,
    name: str,
    shapes: Mapping[int, Any],
    *,
    actor: Actor | None = None,
    body: Mapping[str, Any] | None = None,
) -> Callable[[ViewT], ViewT]:
    """A view that changes something, by `method` at `path`; it answers with the shape of a status. Else as `reads`.

    `actor`: who comes in with another body than most; `body`: the schema of each media type, where the view reads it.
    """
    said_of_body = {"requestBody": {"content": {kind: {"schema": said} for kind, said in body.items()}}} if body else {}
    problems = dict.fromkeys(_PROBLEMS_OF_ACTS, Problem)

    def declare(view: ViewT) -> ViewT:
        return router.api_operation(
            [method],
            path,
            **_said(view, name),
            auth=actor or Actor(),
            response={**shapes, **problems},
            openapi_extra={"parameters": [_TOKEN], **said_of_body},
        )(view)

    return declare


def _said(view: Callable[..., HttpResponseBase], name: str) -> dict[str, Any]:
    """What the documentation says of a view: the summary is the first line of its docstring."""
    summary, _, rest = inspect.cleandoc(view.__doc__ or "").partition("\n")
    return {
        "url_name": name,
        "operation_id": name.removeprefix("api-"),
        "summary": summary.removesuffix("."),
        "description": rest.strip() or summary,
    }


def explained(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refusals that come without a word, of a method or of a condition, become problems."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code not in {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.PRECONDITION_FAILED}:
            return response
        said = problem(request, response.status_code)
        if "Allow" in response:
            said["Allow"] = response["Allow"]
        return said

    return answer
