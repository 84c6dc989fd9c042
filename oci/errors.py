"""Everything that can go wrong between us and a registry.

RegistryError
├── InvalidName                       we would not even ask
│   ├── oci.tls.InvalidAuthority      those whom we were told to trust over TLS
│   └── oci.tls.InvalidCertificate    the certificate by which a registry may know us, or its key
├── Unreachable                       no HTTP answer: DNS, TLS, refused, a deadline passed
│   ├── oci.faults.CertificateWanted  it wants a certificate of us before it talks
│   └── oci.faults.ProxyRefused       the proxy that we were told to go by will not
├── BadAnswer                         an answer that the spec does not allow
│   ├── DigestMismatch                the bytes are not the bytes we asked for
│   ├── TooLarge                      more bytes than we are ready to read
│   ├── ForeignRealm                  it wants our credentials sent somewhere that nobody named
│   └── oci.faults.CutShort           it ended before its end
├── Refused                           the registry said no
│   ├── Unauthorized                  401, also after a fresh token
│   ├── Denied                        403
│   ├── NotFound                      404
│   ├── Unsupported                   405, deletes are switched off
│   ├── TooManyRequests               429
│   └── Unavailable                   5xx
└── oci.storage.StorageFault          its folder cannot be used
    └── oci.storage.Unreadable        one place in the folder cannot be read

Every class has a `code`, a short word that is safe to store and to compare.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 80  # characters of a stranger's text that a message may repeat
_REASON_LENGTH = 200


class RegistryError(Exception):
    """Base of all of them: catch this at the edge of the house. `at` is its side of a copy (`oci.transfer`)."""

    code: ClassVar[str] = "registry-error"
    at = ""


class InvalidName(RegistryError):  # noqa: N818  read with its module: oci.errors.InvalidName
    code = "invalid-name"

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind, self.text = kind, text

    def __str__(self) -> str:
        shown = repr(self.text[:_SHOWN]) + ("…" if len(self.text) > _SHOWN else "")
        return f"{shown} is not a valid {self.kind}"


class Unreachable(RegistryError):  # noqa: N818  read with its module: oci.errors.Unreachable
    code = "unreachable"


class BadAnswer(RegistryError):  # noqa: N818  read with its module: oci.errors.BadAnswer
    code = "bad-answer"


class DigestMismatch(BadAnswer):
    code = "digest-mismatch"


class TooLarge(BadAnswer):
    code = "too-large"


class ForeignRealm(BadAnswer):
    """A challenge names a token service that is not pinned for this registry.

    `realm` is its scheme, host and port, for an administrator to confirm; "" when it is no web address.
    """

    code = "foreign-realm"

    def __init__(self, host: str, realm: str = "") -> None:
        super().__init__(host, realm)
        self.host, self.realm = host, realm

    def __str__(self) -> str:
        return f"the registry asks for a token of {self.host or 'no web address'}, which is not pinned for it"


@dataclass(frozen=True, slots=True)
class Reason:
    """One entry of the spec's `errors` list, made fit to show."""

    code: str
    message: str = ""

    @classmethod
    def listed(cls, document: Any) -> tuple[Reason, ...]:
        """The reasons in the body of a refusal; none when it is not of the spec's shape."""
        entries = document.get("errors") if isinstance(document, dict) else None
        if not isinstance(entries, list):
            return ()
        pairs = [(e.get("code"), e.get("message")) for e in entries[:5] if isinstance(e, dict)]
        return tuple(
            cls(printable(code, 64), printable(message, _REASON_LENGTH) if isinstance(message, str) else "")
            for code, message in pairs
            if isinstance(code, str) and code
        )


class Refused(RegistryError):  # noqa: N818  read with its module: oci.errors.Refused
    """`request` is what was asked ("GET v2/a/manifests/b"), `answered` the status, `reasons` the spec's list.

    `retry_after` is how many seconds the registry wants to be left alone, if it said so. `tried`: how often it was
    asked; what came of the tries before the last, nobody knows.
    """

    code = "refused"
    status: ClassVar[int] = 0
    by_status: ClassVar[dict[int, type[Refused]]] = {}

    def __init_subclass__(cls) -> None:
        Refused.by_status[cls.status] = cls

    def __init__(self, request: str, status: int, reasons: Sequence[Reason] = ()) -> None:
        super().__init__(request, status, tuple(reasons))
        self.request, self.answered, self.reasons = request, status, tuple(reasons)
        self.retry_after: float | None = None
        self.tried = 1

    def __str__(self) -> str:
        detail = "; ".join(f"{r.code} {r.message}".strip() for r in self.reasons) or "no reason given"
        return f"{self.request} was refused with {self.answered}: {detail}"

    @classmethod
    def build(cls, request: str, status: int, reasons: Sequence[Reason] = ()) -> Refused:
        kind = Unavailable if status >= Unavailable.status else cls.by_status.get(status, Refused)
        return kind(request, status, reasons)

    def says(self, code: str) -> bool:
        return any(reason.code == code for reason in self.reasons)


class Unauthorized(Refused):
    code = "unauthorized"
    status = 401


class Denied(Refused):
    code = "denied"
    status = 403


class NotFound(Refused):
    code = "not-found"
    status = 404

    @property
    def unknown_name(self) -> bool:
        """The registry itself says that it has no such repository; a proxy's plain 404 does not."""
        return self.says("NAME_UNKNOWN")


class Unsupported(Refused):
    code = "unsupported"
    status = 405


class TooManyRequests(Refused):
    code = "too-many-requests"
    status = 429


class Unavailable(Refused):
    code = "unavailable"
    status = 500  # and all above


def printable(text: str, length: int) -> str:
    """At most `length` characters of a stranger's text, without control, format and surrogate characters."""
    kept = (" " if c.isspace() else c for c in text[: 4 * length])
    return "".join(c for c in kept if unicodedata.category(c)[0] != "C")[:length].strip()
