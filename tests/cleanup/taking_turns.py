"""What stands before several processes of a registry: each connection goes to the next of them."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from typing import Self


class TakingTurns:
    def __init__(self, *ports: int) -> None:
        self._turns = itertools.cycle(ports)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # it ends a call that waits
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                front, _ = self._server.accept()
                back = socket.create_connection(("127.0.0.1", next(self._turns)))
                for one, other in ((front, back), (back, front)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := one.recv(65536):
            other.sendall(content)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)
