"""Answers to challenges: Basic, and Bearer by way of a token service (distribution-spec; RFC 7235, RFC 6750).

A registry names its token service itself, in each challenge. Whatever it names would be sent our password, so only the
origins that were pinned for it beforehand are asked, and nothing is offered to a registry that did not challenge us.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias
from urllib.parse import urlencode

from oci.calls import CALL
from oci.document import load_object
from oci.errors import BadAnswer, ForeignRealm, InvalidName, Unreachable
from oci.urls import Origin, Url

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

Scheme: TypeAlias = Literal["none", "basic", "bearer"]

_LIFETIME: Final = 60  # seconds, by the token specification, when the service does not say
_LONGEST: Final = 24 * 60 * 60  # seconds
_MARGIN: Final = 10  # seconds: a token that is about to expire is not sent any more
_MOST_SCOPES: Final = 4096
_MOST_HELD: Final = 16 * 2**20  # characters of tokens and of the names of their scopes, which strangers make
_SECRET_LENGTH: Final = 4  # shorter ones would hide words that are no secret
_TOKEN: Final = re.compile(r"[!-~]{1,131072}")

_PART: Final = re.compile(
    r"""[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))(?=\s*(?:,|$)))?""",
)


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if ":" in self.username or not self.username.isprintable():
            raise InvalidName("user name", self.username)

    @property
    def basic(self) -> str:
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in that a registry offers: `scheme` in lower case, parameters by lower-case name."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, header: str) -> tuple[Self, ...]:
        """All challenges of a WWW-Authenticate header; what cannot be read ends the list."""
        challenges: list[tuple[str, dict[str, str]]] = []
        position = 0
        while match := _PART.match(header, position):
            name, quoted, plain = match.groups()
            if quoted is None and plain is None:
                challenges.append((name.lower(), {}))
            elif challenges:
                value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
                challenges[-1][1].setdefault(name.lower(), value)
            position = match.end()
        return tuple(cls(scheme, parameters) for scheme, parameters in challenges)

    @property
    def scope(self) -> str:
        return self.parameters.get("scope", "")


@dataclass(slots=True)
class _Slot:
    """The token of one scope; the lock is held while it is fetched, so ten workers ask for one and not for ten."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str = field(default="", repr=False)
    fetched: float = 0.0  # by time.monotonic(), as is the next
    expires: float = 0.0


class Authorizer:
    """What to put into the Authorization header, for one registry; shared by threads.

    `fetch` sends a GET to a token service, with an Authorization header or "", and returns the body of its 200.
    """

    def __init__(
        self,
        credentials: Credentials | None,
        realms: Collection[Origin],
        fetch: Callable[[Url, str], bytes],
    ) -> None:
        self._credentials, self._realms, self._fetch = credentials, frozenset(realms), fetch
        self._challenge: Challenge | None = None  # the last one, which later scopes are asked for by
        self._renamed: dict[str, str] = {}  # scopes that the registry calls otherwise than we do
        self._slots: dict[str, _Slot] = {}
        self._held = 0
        self._lock = threading.Lock()

    @property
    def scheme(self) -> Scheme:
        """How the registry challenged us so far."""
        if self._challenge is None:
            return "none"
        return "bearer" if self._challenge.scheme == "bearer" else "basic"

    def offer(self, scope: str, lasting: float = 0.0) -> str:
        """The header to begin with; "" until the registry has challenged us.

        A token ends no sooner than `lasting` seconds from now, or was fetched for this: longer ones are not to be had.
        """
        challenge = self._challenge
        if challenge is None:
            return ""
        if challenge.scheme == "basic":
            return self._credentials.basic if self._credentials else ""
        return self._bearer(challenge, self._renamed.get(scope, scope), lasting=lasting)

    def answer(self, header: str, scope: str, sent: str, since: float) -> str:
        """The header to try after a 401 with the challenge `header`; "" when that 401 was the last word.

        `scope` is what was asked for, `sent` the header that was refused. A token that was fetched after `since`
        (by time.monotonic) is fresh: a second one would fare no better.
        """
        challenge = self._choose(Challenge.parse(header))
        if challenge is None:
            return ""
        self._challenge = challenge
        if challenge.scheme == "basic":
            basic = self._credentials.basic if self._credentials else ""
            return "" if basic == sent else basic
        wanted = challenge.scope or scope
        if wanted != scope:
            with self._lock:
                self._renamed[scope] = wanted
        return self._bearer(challenge, wanted, sent, since)

    def redact(self, text: str, others: Sequence[str] = ()) -> str:
        """`text` without any secret of ours that a registry might send back to us, nor any of `others`."""
        with self._lock:
            secrets = [*others, *(slot.token for slot in self._slots.values())]
        if self._credentials:
            secrets += [self._credentials.password, self._credentials.basic.removeprefix("Basic ")]
        for secret in secrets:
            if len(secret) >= _SECRET_LENGTH:
                text = text.replace(secret, "…")
        return text

    def _choose(self, challenges: Collection[Challenge]) -> Challenge | None:
        by_scheme = {challenge.scheme: challenge for challenge in reversed(tuple(challenges))}
        bearer = by_scheme.get("bearer")
        return bearer if bearer and "realm" in bearer.parameters else by_scheme.get("basic")

    def _bearer(
        self, challenge: Challenge, scope: str, refused: str = "", since: float = 0.0, *, lasting: float = 0.0
    ) -> str:
        slot = self._slot(scope)
        if not slot.lock.acquire(timeout=min(max(CALL.remaining, 0.0), threading.TIMEOUT_MAX)):
            raise Unreachable("the token service keeps another request waiting")
        try:
            is_refused = f"Bearer {slot.token}" == refused
            if is_refused and slot.fetched >= since:
                return ""
            # Half of its life is what a short one can promise: else each request would fetch another.
            lasting = min(lasting, (slot.expires - slot.fetched) / 2)
            if is_refused or time.monotonic() + lasting >= slot.expires:
                slot.fetched, before = time.monotonic(), len(slot.token)
                slot.token, lifetime = self._fetch_token(challenge, scope)
                slot.expires = slot.fetched + lifetime
                with self._lock:
                    self._held += len(slot.token) - before
            return f"Bearer {slot.token}"
        finally:
            slot.lock.release()

    def _slot(self, scope: str) -> _Slot:
        with self._lock:
            if scope not in self._slots:
                if len(self._slots) >= _MOST_SCOPES or self._held > _MOST_HELD:
                    self._slots.clear()
                    self._renamed.clear()
                    self._held = 0
                self._slots[scope] = _Slot()
                self._held += len(scope)
            return self._slots[scope]

    def _fetch_token(self, challenge: Challenge, scope: str) -> tuple[str, float]:
        realm = self._pinned(challenge.parameters["realm"])
        asked = [("scope", part) for part in scope.split()]
        if service := challenge.parameters.get("service"):
            asked.insert(0, ("service", service))
        basic = self._credentials.basic if self._credentials else ""
        document = load_object(self._fetch(realm.asking(urlencode(asked)), basic), "the token service's answer")
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise BadAnswer("the token service gave no token")
        return token, _usable(document.get("expires_in"))

    def _pinned(self, realm: str) -> Url:
        try:
            url = Url.parse(realm)
        except InvalidName:
            raise ForeignRealm("") from None
        if url.origin not in self._realms:
            raise ForeignRealm(url.origin.host, str(url.origin))
        return url


def _usable(lifetime: Any) -> float:
    """Seconds for which a token is sent."""
    seconds = min(lifetime, _LONGEST) if type(lifetime) is int and lifetime > 0 else _LIFETIME
    return seconds - min(_MARGIN, seconds / 4)
