"""What a tag points to, asked for as cheaply as it goes: a HEAD is no pull, and where none helps a GET is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oci import digests, routes
from oci.errors import NotFound
from oci.media_types import ACCEPTED, bare
from oci.stored import check_manifest

if TYPE_CHECKING:
    from oci.client import RegistryClient
    from oci.fetched import Fetched
    from oci.names import Digest, RepositoryName, TagName
    from oci.transport import Answer

LASTING: Final = 60.0  # seconds that a token should last when a manifest is put
_ACCEPT: Final = {"Accept": ", ".join(ACCEPTED)}


@dataclass(frozen=True, slots=True)
class Head:
    """`pulled`: it took a GET, which some registries count."""

    digest: Digest
    media_type: str
    pulled: bool = False


def head(client: RegistryClient, repository: RepositoryName, target: TagName | Digest) -> Head | None:
    """None where there is no such manifest. Some registries answer a HEAD without the digest: then it is fetched.

    Raises RegistryError.
    """
    answer = _asked(client, repository, target)
    if answer is None:
        return None
    if said := digests.said(answer):
        return Head(said, bare(answer.headers.get("Content-Type", "")))
    try:
        fetched = client.manifest(repository, target)
    except NotFound:
        return None
    assert fetched is not None  # noqa: S101  no condition was made
    return Head(fetched.digest, fetched.media_type, pulled=True)


def exists(client: RegistryClient, repository: RepositoryName, target: TagName | Digest) -> bool:
    """Whether there is such a manifest, whatever it is. Raises RegistryError."""
    return _asked(client, repository, target) is not None


def put(client: RegistryClient, repository: RepositoryName, target: TagName | Digest, manifest: Fetched) -> bool:
    """Store the exact bytes; whether the registry itself lists them with their subject (distribution-spec, "Push").

    Raises as `check_manifest` does where the registry stored something else.
    """
    answer = client.transport.exchange(
        "PUT",
        routes.manifest(repository, target),
        headers={"Content-Type": manifest.media_type},
        body=manifest.content,
        accept_statuses=(201,),
        scope=routes.scope(repository, "pull", "push"),
        lasting=LASTING,
    )
    check_manifest(client.transport, repository, target, manifest.content, answer)
    return bool(answer.headers.get("OCI-Subject"))


def _asked(client: RegistryClient, repository: RepositoryName, target: TagName | Digest) -> Answer | None:
    path, scope = routes.manifest(repository, target), routes.scope(repository, "pull")
    try:
        return client.transport.exchange("HEAD", path, headers=_ACCEPT, scope=scope)
    except NotFound:
        return None
