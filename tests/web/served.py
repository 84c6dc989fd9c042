"""Berth behind a real port, with its files as they are served in earnest: hashed names, compressed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test.testcases import LiveServerThread, QuietWSGIRequestHandler

from api.events import EventsFirst


class _Server(LiveServerThread):
    """Django's own puts a handler of its own before the static files; this one leaves them to WhiteNoise."""

    one_at_a_time = threading.Lock()
    is_over = False
    failure: Exception | None = None

    def run(self) -> None:
        for alias, shared in (self.connections_override or {}).items():
            connections[alias] = shared
        application = EventsFirst(get_wsgi_application())

        def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            with self.one_at_a_time:  # the tests' database is one connection
                if self.is_over:  # a window that was left open asks on
                    start_response("503 Service Unavailable", [])
                    return []
                response = application(environ, start_response)
                return [b"".join(response)]

        try:
            self.httpd = ThreadedWSGIServer(
                (self.host, self.port),
                QuietWSGIRequestHandler,
                connections_override=self.connections_override,
            )
            self.port = self.httpd.server_address[1]
            self.httpd.set_app(answer)
            self.is_ready.set()
            self.httpd.serve_forever()
        except Exception as error:  # noqa: BLE001  it is raised where the test waits
            self.failure = error
            self.is_ready.set()
        finally:
            connections.close_all()


@contextmanager
def served() -> Iterator[str]:
    """The origin of a running Berth, over the database of the test."""
    every = {alias: connections[alias] for alias in connections}
    is_sqlite = connections["default"].vendor == "sqlite"
    shared = every if is_sqlite else {}  # in memory there is but one connection
    for ours in every.values():
        ours.inc_thread_sharing()
    server = _Server("localhost", WSGIHandler, connections_override=shared)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    try:
        if server.failure:
            raise server.failure
        yield f"http://localhost:{server.port}"
    finally:
        server.terminate()
        with server.one_at_a_time:
            server.is_over = True  # the connection stays shared: a window's last thread may end late
