"""What a registry would answer to a change in a repository, found out without changing anything there.

Each question is a request that the spec lets no registry grant: what it is refused with tells whether it was heard.
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from oci import routes
from oci.errors import Denied, NotFound, Refused, Unauthorized, Unsupported
from oci.media_types import OCI_INDEX
from oci.names import Digest, RepositoryName

if TYPE_CHECKING:
    from oci.client import RegistryClient

_HEARD: Final = frozenset({400, 404, 409, 413, 422})  # refused for what was asked, not for who asked or for the method


class Right(StrEnum):
    YES = "yes"
    OFF = "off"  # the registry is set up not to do this
    READ_ONLY = "read-only"  # it takes no writes at all, or something before it lets none through
    DENIED = "denied"  # not to this account
    UNKNOWN = "unknown"


def may_delete(client: RegistryClient, repository: RepositoryName) -> Right:
    """By a DELETE of a digest that is surely absent. Raises Unreachable and BadAnswer as any request does."""
    path = routes.manifest(repository, _absent())
    try:
        client.transport.exchange("DELETE", path, scope=routes.scope(repository, "delete"), accept_statuses=())
    except Refused as refusal:
        return _right(refusal)
    return Right.UNKNOWN


def may_push(client: RegistryClient, repository: RepositoryName) -> Right:
    """By a PUT of a manifest under a digest that is not its own, which nothing may store."""
    path, scope = routes.manifest(repository, _absent()), routes.scope(repository, "pull", "push")
    headers = {"Content-Type": OCI_INDEX}
    try:
        client.transport.exchange("PUT", path, headers=headers, body=b"{}", scope=scope, accept_statuses=(), attempts=1)
    except Refused as refusal:
        return _right(refusal)
    return Right.UNKNOWN


def _absent() -> Digest:
    return Digest.of(secrets.token_bytes(32))


def _right(refusal: Refused) -> Right:
    match refusal:
        case Unsupported():
            # Deletes that are off are refused in the words of the spec; a registry that is read-only has no word.
            return Right.OFF if refusal.says("UNSUPPORTED") else Right.READ_ONLY
        case Unauthorized() | Denied():
            return Right.DENIED
        case NotFound():
            return Right.YES if refusal.reasons else Right.UNKNOWN  # a proxy's own 404 says nothing
    return Right.YES if refusal.answered in _HEARD else Right.UNKNOWN
