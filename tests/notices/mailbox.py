"""A mail server that keeps what it is handed, and refuses what it is told to.

with Mailbox() as mailbox:
    mailbox.refusals = {"RCPT": "550 no such user"}
"""

from __future__ import annotations

import base64
import email
import email.policy
import socketserver
import ssl
import threading
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self


class Mailbox:
    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        """With a certificate and its key (two paths), it offers STARTTLS."""
        self.mails: list[EmailMessage] = []
        self.commands: list[str] = []
        self.logins: list[str] = []
        self.refusals: dict[str, str] = {}  # by the first word of a command
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._server = _Server(("127.0.0.1", 0), self._serve)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, connection: Any) -> None:
        stream = connection.makefile("rwb")
        _say(stream, "220 mailbox")
        while line := stream.readline():
            text = line.decode("latin-1").strip()
            word = text.split(" ")[0].upper()
            self.commands.append(text)
            if word in self.refusals:
                _say(stream, self.refusals[word])
            elif word == "EHLO":
                offers = ["AUTH PLAIN", *(["STARTTLS"] if self._context else [])]
                _say(stream, *(f"250-{offer}" for offer in ("mailbox", *offers)), "250 8BITMIME")
            elif word == "STARTTLS" and self._context:
                _say(stream, "220 go on")
                try:
                    connection = self._context.wrap_socket(connection, server_side=True)
                except OSError:  # they do not trust us
                    return
                stream = connection.makefile("rwb")
            elif word == "AUTH":
                self.logins.append(base64.b64decode(text.split(" ")[2]).decode())
                _say(stream, "235 welcome")
            elif word == "DATA":
                _say(stream, "354 go on")
                content = b"".join(iter(stream.readline, b".\r\n"))
                parsed = email.message_from_bytes(content, policy=email.policy.default)
                self.mails.append(parsed)
                _say(stream, "250 kept")
            elif word == "QUIT":
                _say(stream, "221 bye")
                return
            else:
                _say(stream, "250 fine")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], serve: Any) -> None:
        super().__init__(address, socketserver.BaseRequestHandler)
        self._serve = serve

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  socketserver's
        self._serve(request)


def _say(stream: Any, *lines: str) -> None:
    stream.write("".join(f"{line}\r\n" for line in lines).encode())
    stream.flush()
