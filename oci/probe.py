"""What a registry lets us do, found out without changing anything there."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from oci import routes
from oci.errors import Denied, NotFound, Refused, RegistryError, Unauthorized, Unsupported
from oci.names import Digest, parse_repository, parse_tag
from oci.transport import Transport

if TYPE_CHECKING:
    from oci.client import Ping, RegistryClient

_SAMPLES: Final = 3
_PATIENCE: Final = 0.25  # seconds for samples of one kind; a slow one is no worse measured by a single
_SLOW_AUTH: Final = 20  # milliseconds: passwords that are hashed for speed take less


@dataclass(frozen=True, slots=True)
class Capabilities:
    """None is "could not be told". `problem` is the first thing that went wrong, as a sentence.

    `round_trip_ms` is how long the least of requests takes, and `slow_auth_ms` how much longer each takes because the
    registry checks a password: bcrypt of cost 10 is about 60 ms of its processor. 0 is "not measured" for the one and
    "hardly" for the other.
    """

    ping: Ping | None = None
    catalog_allowed: bool | None = None
    page_size: int = 0
    deletes: bool | None = None
    deletes_tags: bool | None = None
    problem: str = ""
    slow_auth_ms: int = 0
    round_trip_ms: int = 0
    referrers: bool | None = None


def probe(client: RegistryClient) -> Capabilities:
    """Ask for what is surely not there, and read the way in which it is refused. Raises nothing of `oci.errors`.

    A DELETE of an absent digest is 404 where deletes are allowed, and 405 where they are not. A DELETE of an absent
    tag is 404 where single tags can go (distribution 3), and a 400 that misses a digest where not (2.8). The referrers
    of nothing are an empty index, or a refusal with reasons, where that API exists; a bare 404 where it does not.
    """
    try:
        ping = client.ping()
    except RegistryError as error:
        return Capabilities(page_size=client.page_size, problem=str(error))
    problems: list[str] = []
    catalog = _catalog_allowed(client, problems)
    repository = f"berth-probe/{secrets.token_hex(16)}"
    deletes = _deletes(client, repository, str(Digest.of(secrets.token_bytes(32))), problems)
    deletes_tags = _deletes(client, repository, "absent", problems)
    slow_auth_ms, round_trip_ms = _timed(client.transport)
    return Capabilities(
        ping,
        catalog,
        client.page_size,
        deletes,
        deletes_tags,
        next(iter(problems), ""),
        slow_auth_ms=slow_auth_ms,
        round_trip_ms=round_trip_ms,
        referrers=_referrers(client, repository),
    )


def _catalog_allowed(client: RegistryClient, problems: list[str]) -> bool | None:
    try:
        next(client.repositories())
    except (Unauthorized, Denied, NotFound, Unsupported):
        return False
    except RegistryError as error:
        problems.append(str(error))
        return None
    return True


def _deletes(client: RegistryClient, repository: str, target: str, problems: list[str]) -> bool | None:
    name = parse_repository(repository)
    path = routes.manifest(name, Digest.parse(target) if ":" in target else parse_tag(target))
    try:
        client.transport.exchange("DELETE", path, scope=routes.scope(name, "delete"), accept_statuses=())
    except Unsupported:
        return False
    except NotFound as refusal:
        return True if refusal.reasons else None  # a proxy's own 404 says nothing about deletes
    except Refused as refusal:
        if refusal.says("DIGEST_INVALID"):
            return False
        problems.append(str(refusal))
    except RegistryError as error:
        problems.append(str(error))
    return None


def _referrers(client: RegistryClient, repository: str) -> bool | None:
    """What stands in the way here is no problem of the registry: few have this API, and a scan does without."""
    try:
        client.referrers(parse_repository(repository), Digest.of(secrets.token_bytes(32)))
    except NotFound as refusal:
        return bool(refusal.reasons)
    except Unsupported:
        return False
    except RegistryError:
        return None
    return True


def _timed(transport: Transport) -> tuple[int, int]:
    """What a password costs each request, and what a request takes without one; in milliseconds."""
    if transport.pace.is_spaced:  # which would be measured too
        return 0, 0
    try:
        if transport.scheme != "basic":
            return 0, _least_ms(transport)
        with Transport(replace(transport.endpoint, credentials=None), total=5, attempts=1) as stranger:
            round_trip = _least_ms(stranger)
        password = _least_ms(transport) - round_trip
    except RegistryError:
        return 0, 0
    return password if password >= _SLOW_AUTH else 0, round_trip


def _least_ms(transport: Transport) -> int:
    """The quickest of a few requests; the first one only makes the connection, unless there is one already."""
    if not transport.sent:
        transport.exchange("GET", routes.BASE, accept_statuses=(200, 401))
    least, until = float("inf"), time.monotonic() + _PATIENCE
    for _ in range(_SAMPLES):
        began = time.monotonic()
        transport.exchange("GET", routes.BASE, accept_statuses=(200, 401), attempts=1)
        ended = time.monotonic()
        least = min(least, ended - began)
        if ended >= until:
            break
    return max(1, round(least * 1000))
