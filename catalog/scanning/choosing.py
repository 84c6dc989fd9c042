"""Which way a registry is read: from its storage folder where there is one that is surely its own, else by its API.

A copy of the folder, or the folder of another registry, would show what is not there. So before each scan the
two are proved to be one: an upload is begun through the API, must appear in the folder, and is cancelled. Where
uploads are not allowed, tags of the folder are compared with what the API says of them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Final

from catalog.scanning.api import ApiSource
from catalog.scanning.folder import FolderSource
from catalog.scanning.source import Source
from oci.client import RegistryClient
from oci.errors import NotFound, Refused, RegistryError
from oci.names import Digest, RepositoryName
from oci.storage import ListedBy, StorageFault, StorageFolder, TagLink
from registries.models import Registry

_SAMPLE: Final = 8  # repositories that are compared, the newest tag of each and two others
_TAGS: Final = 3
_LISTED_BY: Final[dict[int | None, ListedBy]] = {2: "_layers", 3: "_manifests"}
_APPEARS: Final = (0.0, 0.05, 0.2, 0.75)  # seconds between two looks: a network share may lag


class _NotTheSame(Exception):  # noqa: N818  a finding: the sentence says why the folder is not read
    pass


def choose(registry: Registry, client: RegistryClient, *, thorough: bool) -> tuple[Source, str]:
    """The source, and what proved the folder or why it is not read; "" where no folder is named.

    Raises RegistryError when the registry itself cannot be asked: nobody can tell then whose the folder is.
    """
    if not registry.storage:
        return ApiSource(client), ""
    generation = client.ping().generation
    try:
        folder = StorageFolder(registry.storage)
        listed_by = _listed_by(generation)
        proof = _prove(folder, client, listed_by)
    except (_NotTheSame, StorageFault) as reason:
        return ApiSource(client), str(reason)
    return FolderSource(folder, listed_by, thorough=thorough), proof


def _listed_by(generation: int | None) -> ListedBy:
    """What makes a repository one of the catalog."""
    listed_by = _LISTED_BY.get(generation)
    if listed_by is None:
        raise _NotTheSame("The registry does not behave like distribution, so its storage folder was not read.")
    return listed_by


def _prove(folder: StorageFolder, client: RegistryClient, listed_by: ListedBy) -> str:
    """How they were proved to be one. Raises _NotTheSame."""
    names = sorted(folder.repositories(listed_by=listed_by))
    if not names:
        raise _NotTheSame("Its storage folder holds no repository by which it could be proved to be its own.")
    try:
        return _prove_by_upload(folder, client, names[0])
    except Refused:  # read-only, or we may not push
        return _prove_by_tags(folder, client, names)


def _prove_by_upload(folder: StorageFolder, client: RegistryClient, repository: RepositoryName) -> str:
    upload = client.begin_upload(repository)
    try:
        for pause in _APPEARS:
            time.sleep(pause)
            if folder.has_upload(repository, upload.uuid):
                return "An upload that was begun through the API appeared in the folder, and was cancelled."
    finally:
        with suppress(RegistryError):  # the registry purges what is left open
            client.cancel_upload(upload)
    raise _NotTheSame(
        "An upload that was begun through the API did not appear in its storage folder: that is of another registry."
    )


def _prove_by_tags(folder: StorageFolder, client: RegistryClient, names: list[RepositoryName]) -> str:
    sample = random.sample(names, min(_SAMPLE, len(names)))
    compared = sum(_compare(client, repository, _some(folder, repository)) for repository in sample)
    if not compared:
        raise _NotTheSame("No tag in its storage folder could be compared with the API.")
    return f"{compared} tags in the folder point to what the API says; an upload to prove it by was refused."


def _some(folder: StorageFolder, repository: RepositoryName) -> Iterable[TagLink]:
    """The tag that was linked last, since a copy of the folder would lack it, and a few others."""
    try:
        links = [link for link in islice(folder.tags(repository), 10_000) if link.digest]
    except NotFound:
        return ()
    links.sort(key=lambda link: link.linked_ns)
    return [*links[-1:], *random.sample(links[:-1], min(_TAGS - 1, len(links[:-1])))]


def _compare(client: RegistryClient, repository: RepositoryName, links: Iterable[TagLink]) -> int:
    """How many agree; a conditional request, so that no pull is counted. Raises _NotTheSame."""
    count = 0
    for link in links:
        try:
            differs = client.manifest(repository, link.name, unless=Digest.parse(link.digest)) is not None
        except NotFound:
            differs = True
        if differs:
            raise _NotTheSame(
                f"{repository}:{link.name} in its storage folder is not what the API says: that is of another registry."
            )
        count += 1
    return count
