"""What a registry tells, heard as it is told, so that a test decides when, how often and in which order it comes in.

with Ear() as ear, RealRegistry(folder, settings=ear.settings()) as registry:
    ...
    bodies = ear.take("the last client")
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_PATIENCE = 15.0


class Ear:
    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self.is_deaf = False  # then what is told has to be told again
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not ear.is_deaf:
                    ear._bodies.append(body)
                self.send_response(503 if ear.is_deaf else 202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}/events"

    def settings(self) -> dict[str, Any]:
        """For the configuration of a registry."""
        return notifications(self.url)

    def take(self, until: str) -> list[bytes]:
        """What was told since, up to what the client of this name caused, which is left out: tellings come in order."""
        deadline = time.monotonic() + _PATIENCE
        while (place := self._place(until)) is None:
            assert time.monotonic() < deadline, f"{until} was never heard of, but {self._bodies}"
            time.sleep(0.01)
        heard, self._bodies[:] = self._bodies[:place], self._bodies[place + 1 :]
        return heard

    def _place(self, client: str) -> int | None:
        for place, body in enumerate(list(self._bodies)):
            if any(event["request"].get("useragent") == client for event in json.loads(body)["events"]):
                return place
        return None


def notifications(url: str, secret: str = "", **more: Any) -> dict[str, Any]:
    headers = {"Authorization": [f"Bearer {secret}"]} if secret else {}
    endpoint = {"name": "berth", "url": url, "headers": headers, "timeout": "1s", "threshold": 3, "backoff": "1s"}
    return {"notifications": {"events": {"includereferences": True}, "endpoints": [endpoint | more]}}
