"""What an answer cost in the server, told in its Server-Timing header (W3C) where a setting asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connection
from django.http import HttpRequest, HttpResponse


class ServerTiming:
    """First of all middleware, so that it sees what all others cost: compression, sessions, templates.

    `app` is the time that passed, `cpu` that of the processor in this thread, `db` what passed in queries: all in ms.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.SERVER_TIMING:
            raise MiddlewareNotUsed
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        queries = _Queries()
        began, cpu_began = time.perf_counter(), time.thread_time()
        with connection.execute_wrapper(queries):
            response = self._get_response(request)
        took, cpu = time.perf_counter() - began, time.thread_time() - cpu_began
        response["Server-Timing"] = (
            f"app;dur={1000 * took:.2f}, cpu;dur={1000 * cpu:.2f},"
            f' db;dur={1000 * queries.seconds:.2f};desc="{queries.count} queries"'
        )
        return response


class _Queries:
    """How many statements went to the database, and for how long they were waited for."""

    def __init__(self) -> None:
        self.count, self.seconds = 0, 0.0

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.count += 1
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - began
