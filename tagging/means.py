"""How a tag can be deleted at a registry, or why not: known before anybody is asked to confirm anything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_noop

from oci.client import RegistryClient
from oci.names import RepositoryName
from oci.rights import Right, may_delete, may_push
from registries.models import Registry


class Way(StrEnum):
    TAG = "tag"  # the registry deletes a tag by its name (distribution 3)
    THROWAWAY = "throwaway"  # the tag is overwritten with a manifest of its own, whose digest is deleted
    NONE = "none"


_OFF: Final = gettext_noop(
    "Deletes are off at this registry. Set REGISTRY_STORAGE_DELETE_ENABLED=true and start it anew."
)
_READ_ONLY: Final = gettext_noop(
    "The registry takes no writes: it is read-only, or something before it lets none through."
)
_NO_DELETE: Final = gettext_noop("The account that Berth uses at this registry has no right to delete here.")
_NO_PUSH: Final = gettext_noop("The account that Berth uses at this registry has no right to push here.")
_NO_OVERWRITE: Final = gettext_noop(
    "This registry deletes whole images only. To delete a single tag Berth has to overwrite it first, and the account"
    " that it uses has no right to push here."
)
_UNKNOWN: Final = gettext_noop("Whether the registry would allow this could not be told.")
_NO_DELETES: Final = {
    Right.OFF: _OFF,
    Right.READ_ONLY: _READ_ONLY,
    Right.DENIED: _NO_DELETE,
    Right.UNKNOWN: _UNKNOWN,
}
_NO_PUSHES: Final = {
    Right.OFF: _READ_ONLY,
    Right.READ_ONLY: _READ_ONLY,
    Right.DENIED: _NO_PUSH,
    Right.UNKNOWN: _UNKNOWN,
}
SENTENCES: Final = (_OFF, _READ_ONLY, _NO_DELETE, _NO_PUSH, _NO_OVERWRITE, _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Means:
    """`problem` is a sentence in the way of it, "" where nothing is."""

    way: Way
    problem: str = ""


def means_to_delete(registry: Registry, client: RegistryClient, repository: RepositoryName) -> Means:
    """Two requests that change nothing. Raises RegistryError where the registry cannot be asked."""
    if (right := may_delete(client, repository)) != Right.YES:
        return Means(Way.NONE, _NO_DELETES[right])
    if _deletes_tags(registry, client):
        return Means(Way.TAG)
    if (right := may_push(client, repository)) != Right.YES:
        return Means(Way.NONE, _NO_OVERWRITE if right == Right.DENIED else _NO_PUSHES[right])
    return Means(Way.THROWAWAY)


def problem_with_delete(client: RegistryClient, repository: RepositoryName) -> str:
    """Why no digest can be deleted there; "" where it can. One request that changes nothing; raises RegistryError."""
    return _NO_DELETES.get(may_delete(client, repository), "")


def problem_with_push(client: RegistryClient, repository: RepositoryName) -> str:
    """Why nothing can be pushed there; "" where it can. One request that changes nothing; raises RegistryError."""
    right = may_push(client, repository)
    return "" if right == Right.YES else _NO_PUSHES[right]


def _deletes_tags(registry: Registry, client: RegistryClient) -> bool:
    """As the last probe found; a registry that was never probed is asked now."""
    known = registry.capability("deletes_tags")
    return bool(client.probe().deletes_tags if known is None else known)
