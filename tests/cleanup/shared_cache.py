"""A Redis server that registries remember their blobs in."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import closing
from typing import Any, Self

import redis

from registry_ui.start import valkey
from tests.real_registry import V2


class Redis:
    """A cache as several registries share it: a port of its own, and nothing kept."""

    def __init__(self) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            self.port = server.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        line = [valkey._program(), "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
        self.client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                self.client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                break
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.kill()
        self._process.wait()

    def settings(self, generation: str) -> dict[str, Any]:
        address = f"127.0.0.1:{self.port}"
        return {"redis": {"addr": address, "db": 0} if generation == V2 else {"addrs": [address], "db": 0}}
