"""Who answers where no view could: the pages' errors for people, problems for machines, by the address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from api import problems
from web.views import errors

Handler = Callable[..., HttpResponse]


def _by_address(for_people: Handler, for_machines: Handler) -> Handler:
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        handler = for_machines if request.path.startswith("/api/") else for_people
        return handler(request, *args, **kwargs)

    return answer


bad_request = _by_address(errors.bad_request, problems.bad_request)
denied = _by_address(errors.denied, problems.denied)
not_found = _by_address(errors.not_found, problems.not_found)
fault = _by_address(errors.fault, problems.fault)
