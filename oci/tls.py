"""Whom we trust over TLS, and the certificate by which a registry may know us."""

from __future__ import annotations

import os
import ssl
import tempfile
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from requests.adapters import DEFAULT_CA_BUNDLE_PATH

from oci.errors import InvalidName, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oci.endpoint import Endpoint

_PEM: Final = "-----BEGIN "
_LONGEST: Final = 2**20  # bytes of a PEM file
_SHOWN: Final = 200  # characters of a path
_CURE: Final = "give the text or the path of a readable PEM file"


class InvalidAuthority(InvalidName):
    """Of those by whom a registry's own certificate is judged: what is wrong with which file, and the cure."""

    def __init__(self, sentence: str) -> None:
        super().__init__("certificate authority", sentence)
        self.args = (sentence,)

    def __str__(self) -> str:
        return self.text


class InvalidCertificate(InvalidName):
    """Of the certificate by which a registry may know us, or its key. It repeats neither, not even their paths."""

    def __init__(self, sentence: str) -> None:
        super().__init__("client certificate", sentence)
        self.args = (sentence,)

    def __str__(self) -> str:
        return self.text


def contexts(endpoint: Endpoint) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For the registry's own origin, and for wherever else it leads; only the first shows a client certificate.

    InvalidAuthority or InvalidCertificate when an authority, a certificate or a key cannot be used.
    """
    if endpoint.client_key and not endpoint.client_certificate:
        raise InvalidCertificate("there is a key, and no client certificate that it belongs to")
    elsewhere = _trusting(endpoint.ca) if endpoint.ca else _public_context()
    if not endpoint.client_certificate:
        return elsewhere, elsewhere
    if endpoint.base.origin.scheme != "https":
        raise InvalidCertificate("a client certificate can only be shown over https")
    at_home = _trusting(endpoint.ca)  # never the public context, which all clients share
    text = _pem(endpoint.client_certificate, "the client certificate")
    if endpoint.client_key:
        text = f"{_pem(endpoint.client_key, 'the key of the client certificate')}\n{text}"
    if complaint := _load(at_home, text):
        raise InvalidCertificate(complaint)
    return at_home, elsewhere


def _trusting(authority: str | None) -> ssl.SSLContext:
    """The public authorities are trusted, and `authority`, PEM text or the path of a PEM file."""
    context = _public_context.__wrapped__()
    if not authority:
        return context
    is_text = _PEM in authority
    text, why = (authority, "") if is_text else _read(authority)
    if not why:
        try:
            # What is no ASCII stands between the certificates, and tells people whose they are.
            context.load_verify_locations(cadata=text.encode("ascii", "ignore").decode())
        except (OSError, ValueError):
            why = "it holds no certificate in PEM form"
        else:
            return context
    what = "text" if is_text else f"file {printable(authority, _SHOWN)}"
    raise InvalidAuthority(f"the {what} of the certificate authority cannot be used, as {why}: {_CURE}")


def _read(path: str) -> tuple[str, str]:
    """What a file holds, or why nobody can say."""
    try:
        file = Path(path)
        if not file.is_file():
            return "", "something else stands where a file should be" if file.exists() else "it is not there"
        if file.stat().st_size > _LONGEST:
            return "", f"it has more than {_LONGEST} bytes"
        return file.read_text(encoding="ascii", errors="ignore"), ""
    except PermissionError:
        return "", "it may not be read"
    except (OSError, ValueError):
        return "", "it cannot be read"


@lru_cache(1)
def _public_context() -> ssl.SSLContext:
    """Reading the public authorities takes longer than a scan of a small registry; all clients may share it."""
    try:
        return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    except OSError as error:
        raise InvalidAuthority(
            f"the file {DEFAULT_CA_BUNDLE_PATH} of the public authorities cannot be read: install Berth's packages anew"
        ) from error


def _pem(text_or_path: str, what: str) -> str:
    """The text itself. What is no PEM may be a key that lost its first line as well as a path: it is not repeated."""
    text = ""
    if _PEM in text_or_path:
        text = text_or_path
    else:
        with suppress(OSError, ValueError):
            path = Path(text_or_path)
            if path.is_file():
                with path.open(encoding="ascii", errors="replace") as file:
                    text = file.read(_LONGEST)
    if _PEM not in text:  # raised out here, so that it drags no other error along, which would quote
        raise InvalidCertificate(f"{what} is neither PEM text nor the path of a readable PEM file")
    return text


def _load(context: ssl.SSLContext, text: str) -> str:
    """What is wrong with certificate and key, as a sentence; "" when they can be used."""
    is_locked = False

    def password() -> str:
        nonlocal is_locked
        is_locked = True
        return ""

    try:
        with _as_file(text) as path:
            context.load_cert_chain(path, password=password)  # without one, OpenSSL would ask on the terminal
    except OSError as error:
        reason = str(getattr(error, "reason", ""))
    else:
        return ""
    if is_locked:
        return "the key of the client certificate is encrypted: give it without a passphrase"
    if "MISMATCH" in reason:
        return "the key does not belong to the client certificate"
    if "PRIVATE KEY-----" not in text:
        return "the client certificate has no key"
    return "the client certificate or its key cannot be read"


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """`ssl` reads keys only from files. Where the system has files in memory this is one, so no disk ever sees it."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("certificate"), "w") as file:
            file.write(text)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile("w") as file:  # which only we can read
            file.write(text)
            file.flush()
            yield file.name
