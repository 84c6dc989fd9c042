"""A listener for the notifications of a registry, which counts the pulls that others than we have made."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

import urllib3

from registry_ui.bench.errors import BenchError

_AGENT: Final = "berth-bench"
_PATIENCE: Final = 10.0  # seconds for one event to arrive


class Listener:
    def __init__(self, server: HTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}/events"
        self._pulls = 0
        self._own = 0

    def take(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event.get("action") == "pull":
                if event.get("request", {}).get("useragent") == _AGENT:
                    self._own += 1
                else:
                    self._pulls += 1

    def pulls(self, manifest_url: str, accept: str) -> int:
        """Pulls by others until now.

        Events come in the order of what they tell: one that we cause ourselves says that all before it are here.
        """
        before, deadline = self._own, time.monotonic() + _PATIENCE
        urllib3.request("GET", manifest_url, headers={"User-Agent": _AGENT, "Accept": accept})
        while self._own == before:
            if time.monotonic() > deadline:
                raise BenchError("The registry sends no events, so none can be counted.")
            time.sleep(0.02)
        return self._pulls


@contextmanager
def listening() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.take(json.loads(body)["events"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        listener = Listener(server)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()
