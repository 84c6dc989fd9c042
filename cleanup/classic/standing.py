"""How a registry stands: it is asked to open an upload, which it refuses with 405 while it is read-only."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from catalog.models import Repository
from oci.client import RegistryClient
from oci.errors import RegistryError, Unreachable, Unsupported
from oci.names import RepositoryName, parse_repository
from registries.clients import hasty_client_for
from registries.models import Registry

_TIMES: Final = 3  # in a row: behind one address there may be several, which change one after the other
_SECONDS: Final = 10.0  # for each request
_PAUSE: Final = 0.25  # seconds between two looks
_NOBODYS: Final = "berth-probe"  # where nothing is in it, of which a name could be taken


class Mode(Enum):
    OPEN = "open"  # it serves, and takes uploads
    READ_ONLY = "read-only"
    AWAY = "away"  # it does not answer, or not all of it says the same
    UNKNOWN = "unknown"  # it answers something else: nobody can tell


@dataclass(frozen=True, slots=True)
class Standing:
    mode: Mode
    why: str = ""


def standing(registry: Registry, caller: str) -> Standing:
    """As it is now. What it answers for an open upload is cancelled at once."""
    repository = _repository(registry)
    found: set[Mode] = set()
    for _ in range(_TIMES):
        try:
            with hasty_client_for(registry, _SECONDS, caller) as client:  # a connection of its own
                client.ping()
                found.add(_mode(client, repository))
        except RegistryError as error:
            is_away = isinstance(error, Unreachable) or getattr(error, "answered", 0) >= 500  # noqa: PLR2004
            return Standing(Mode.AWAY if is_away else Mode.UNKNOWN, str(error))
    return Standing(found.pop() if len(found) == 1 else Mode.AWAY, "one answer is not like the other")


def wait_until(wanted: Mode, registry: Registry, caller: str, seconds: float, look: Callable[[], None]) -> Standing:
    """How it stands at last: as `wanted`, or otherwise for all of these seconds."""
    deadline = time.monotonic() + seconds
    while True:
        look()
        found = standing(registry, caller)
        if found.mode is wanted or time.monotonic() > deadline:
            return found
        time.sleep(_PAUSE)


def _mode(client: RegistryClient, repository: RepositoryName) -> Mode:
    try:
        upload = client.begin_upload(repository)
    except Unsupported:
        return Mode.READ_ONLY
    client.cancel_upload(upload)
    return Mode.OPEN


def _repository(registry: Registry) -> RepositoryName:
    """One that is there: an upload to it leaves nothing behind that was not there before."""
    name = Repository.objects.live().filter(registry=registry).values_list("name", flat=True).first()
    return parse_repository(name or _NOBODYS)
