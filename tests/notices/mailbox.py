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
import time
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self


class Mailbox:
    def __init__(self, certificate: tuple[Path, Path] | None = None, *, is_tls: bool = False) -> None:
        """With a certificate and its key (two paths), it offers STARTTLS, or is TLS from the first byte."""
        self.mails: list[EmailMessage] = []
        self.commands: list[str] = []
        self.logins: list[str] = []
        self.refusals: dict[str, str] = {}  # by the first word of a command
        self.slow: str | None = None  # what it is slow to answer: to such a command, or to "", that somebody is there
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._is_tls = is_tls
        self._server = _Server(("127.0.0.1", 0), self._serve)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, connection: Any) -> None:
        connection = self._secured(connection) if self._is_tls else connection
        stream = connection.makefile("rwb")
        self._dawdle(stream, "")
        _say(stream, "220 mailbox")
        while line := stream.readline():
            text = line.decode("latin-1").strip()
            word = text.split(" ")[0].upper()
            self.commands.append(text)
            self._dawdle(stream, word)
            if word in self.refusals:
                _say(stream, self.refusals[word])
            elif word == "EHLO":
                offers = ["AUTH PLAIN", *(["STARTTLS"] if self._context and not self._is_tls else [])]
                _say(stream, *(f"250-{offer}" for offer in ("mailbox", *offers)), "250 8BITMIME")
            elif word == "STARTTLS" and self._context:
                _say(stream, "220 go on")
                connection = self._secured(connection)
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

    def _secured(self, connection: Any) -> Any:
        assert self._context is not None
        return self._context.wrap_socket(connection, server_side=True)

    def _dawdle(self, stream: Any, word: str) -> None:
        """For some seconds, letter by letter, with the beginning of an answer."""
        if word == self.slow:
            code = {"": "220", "STARTTLS": "220", "QUIT": "221", "DATA": "354"}.get(word, "250")
            for letter in f"{code}-slowly\r\n" * 10:
                stream.write(letter.encode())
                stream.flush()
                time.sleep(0.03)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], serve: Any) -> None:
        super().__init__(address, socketserver.BaseRequestHandler)
        self._serve = serve

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  socketserver's
        with suppress(OSError):  # of those who do not trust us, or have waited long enough
            self._serve(request)


def _say(stream: Any, *lines: str) -> None:
    stream.write("".join(f"{line}\r\n" for line in lines).encode())
    stream.flush()
