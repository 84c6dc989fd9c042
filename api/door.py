"""The door of the API: who may come in, and how an operation is declared."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.security import APIKeyCookie

from access.policy import may_read
from api.problems import Problem, problem

ViewT = TypeVar("ViewT", bound=Callable[..., HttpResponse])

_PROBLEMS: Final = (401, 404, 422, 503)  # that an operation may answer; 500 is no promise


class Reader(APIKeyCookie):
    """Whoever may read the pages, by the same session."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # nothing here changes anything

    def __call__(self, request: HttpRequest) -> bool:
        return may_read(request.user, anonymous_read=settings.ANONYMOUS_READ)

    def authenticate(self, request: HttpRequest, key: str | None) -> bool:  # noqa: ARG002  ninja's signature
        return self(request)


def reads(router: Router, path: str, name: str, shape: Any) -> Callable[[ViewT], ViewT]:
    """A view that answers GET and HEAD at `path` with `shape`; `name` is that of its address.

    The first line of its docstring is the summary in the documentation, the rest the description.
    """
    problems = {status: Problem for status in _PROBLEMS if status != HTTPStatus.NOT_FOUND or "{" in path}

    def declare(view: ViewT) -> ViewT:
        summary, _, rest = inspect.cleandoc(view.__doc__ or "").partition("\n")
        return router.api_operation(
            ["GET", "HEAD"],
            path,
            url_name=name,
            operation_id=name.removeprefix("api-"),
            summary=summary.removesuffix("."),
            description=rest.strip() or summary,
            response={200: shape, **problems},
        )(view)

    return declare


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
