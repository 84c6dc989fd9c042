"""What a registry lets us do, found out without changing anything there."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oci import routes
from oci.errors import Denied, NotFound, Refused, RegistryError, Unauthorized, Unsupported
from oci.names import Digest, parse_repository, parse_tag

if TYPE_CHECKING:
    from oci.client import Ping, RegistryClient


@dataclass(frozen=True, slots=True)
class Capabilities:
    """None is "could not be told". `problem` is the first thing that went wrong, as a sentence."""

    ping: Ping | None = None
    catalog_allowed: bool | None = None
    page_size: int = 0
    deletes: bool | None = None
    deletes_tags: bool | None = None
    problem: str = ""


def probe(client: RegistryClient) -> Capabilities:
    """Ask for what is surely not there, and read the way in which it is refused. Raises nothing of `oci.errors`.

    A DELETE of an absent digest is 404 where deletes are allowed, and 405 where they are not. A DELETE of an absent
    tag is 404 where single tags can go (distribution 3), and a 400 that misses a digest where not (2.8).
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
    return Capabilities(ping, catalog, client.page_size, deletes, deletes_tags, next(iter(problems), ""))


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
