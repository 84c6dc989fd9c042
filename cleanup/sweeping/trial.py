"""A trial before each sweep: one small blob of our own goes the way that all others would go.

What a registry remembers of blobs, and in how many processes, shows in what it says of a blob that was just unlinked.
So two repositories get the same few bytes, lose them again, one gets them anew, and what the registry says of the other
tells whether it forgets. Nobody's images are touched, and what the trial made is removed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from django.utils.translation import gettext_noop

from cleanup.sweeping.ground import Ground
from jobs.running import JobFailed
from oci.errors import RegistryError
from oci.names import Digest, RepositoryName, parse_repository
from oci.storage import StorageFault
from oci.storage.marking import Link
from registries.clients import client_for

_NAMESPACE: Final = parse_repository("berth-trial")
_NAMED: Final = re.compile("[0-9a-f]{16}-[ab]")  # the repositories of a trial in it
_ASKED: Final = 8  # times: processes behind one address take turns
_SIZE: Final = 64  # bytes
_REMEMBERS: Final = gettext_noop(
    "The registry still says that it has a blob which was unlinked: a cache of it is not cleared, as with several"
    " processes that each have their own. A sweep is not safe here. Nothing was deleted."
)
_SHARED: Final = gettext_noop(
    "The registry says of a repository that it has a blob which only another one was given: it remembers blobs in a"
    " cache like Redis. Say so in the terms of its sweeps, with the address. Nothing was deleted."
)
_UNREADABLE: Final = gettext_noop(
    "A blob that was swept and pushed again could not be read back: %(why)s. A sweep is not safe here. Nothing was"
    " deleted."
)
_REFUSED: Final = gettext_noop("The registry refused a trial with a blob of Berth's own: %(why)s. Nothing was deleted.")
SENTENCES: Final = (_REMEMBERS, _SHARED, _UNREADABLE, _REFUSED)


def try_out(ground: Ground) -> None:
    """Raises JobFailed where a sweep would leave the registry wrong."""
    clear_away(ground)
    content = secrets.token_bytes(_SIZE)
    with _repositories(ground) as (one, other):
        try:
            _sweep_and_push_again(ground, one, other, content)
        except (RegistryError, StorageFault) as error:
            raise JobFailed(_REFUSED % {"why": str(error).rstrip(".")}) from error
        finally:
            with suppress(StorageFault):
                ground.aside.take(Digest.of(content))
                ground.aside.drop(Digest.of(content))


def _sweep_and_push_again(ground: Ground, one: RepositoryName, other: RepositoryName, content: bytes) -> None:
    client, digest = ground.client, Digest.of(content)
    for repository in (one, other):
        client.push_blob(repository, content)
        _is_there(ground, repository, digest)  # so that it is remembered, if anything is
    for repository in (one, other):
        client.delete_blob(repository, digest)
    ground.cache.forget(Link(repository, str(digest)) for repository in (one, other))
    if any(_is_there(ground, repository, digest) for repository in (one, other)):
        raise JobFailed(_REMEMBERS)
    ground.aside.take(digest)
    client.push_blob(one, content)
    if _is_there(ground, other, digest):
        raise JobFailed(_SHARED)
    try:
        client.blob(one, digest, limit=_SIZE)
    except RegistryError as error:
        raise JobFailed(_UNREADABLE % {"why": str(error).rstrip(".")}) from error


def _is_there(ground: Ground, repository: RepositoryName, digest: Digest) -> bool:
    """Whether any process says so: what stands before several gives each connection to one of them."""
    said = []
    for _ in range(_ASKED):
        with client_for(ground.registry) as client:
            said.append(client.blob_exists(repository, digest))
    return any(said)


@contextmanager
def _repositories(ground: Ground) -> Iterator[tuple[RepositoryName, RepositoryName]]:
    """Two that nobody else has; they are removed from the storage, since the API has no way to do it."""
    mark = secrets.token_hex(8)
    names = parse_repository(f"{_NAMESPACE}/{mark}-a"), parse_repository(f"{_NAMESPACE}/{mark}-b")
    try:
        yield names
    finally:
        for name in names:
            with suppress(StorageFault):
                ground.folder.remove(name)


def clear_away(ground: Ground) -> None:
    """What a trial left that was killed; a repository in which anybody has pushed a manifest is none of ours."""
    with suppress(StorageFault):
        for name in filter(_NAMED.fullmatch, ground.folder.folders_in(_NAMESPACE)):
            repository = parse_repository(f"{_NAMESPACE}/{name}")
            if not any(ground.folder.revision_links(repository)):
                ground.folder.remove(repository)
