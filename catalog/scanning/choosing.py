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

from django.utils.translation import gettext_noop

from catalog.scanning.api import ApiSource
from catalog.scanning.folder import FolderSource
from catalog.scanning.source import Source
from oci.client import RegistryClient, Upload
from oci.errors import Denied, NotFound, Refused, RegistryError, Unauthorized, Unsupported
from oci.names import Digest, RepositoryName
from oci.storage import ListedBy, StorageFault, StorageFolder, TagLink
from registries.models import Registry
from registries.probing import learn

_SAMPLE: Final = 8  # repositories that are compared, the newest tag of each and two others
_TAGS: Final = 3
_LISTED_BY: Final[dict[int | None, ListedBy]] = {2: "_layers", 3: "_manifests"}
_APPEARS: Final = (0.0, 0.05, 0.2, 0.75)  # seconds between two looks: a network share may lag
_UPLOADS_STAY: Final = "uploads_stay"  # learnt here, forgotten with the next probe: rights may have changed
_NOT_DISTRIBUTION: Final = gettext_noop(
    "The registry does not behave like distribution, so its storage folder was not read."
)
_NO_REPOSITORY: Final = gettext_noop(
    "Its storage folder holds no repository by which it could be proved to be its own."
)
_NO_UPLOAD: Final = gettext_noop(
    "An upload that was begun through the API did not appear in its storage folder: that is of another registry."
)
_NONE_NAMED: Final = gettext_noop("No storage folder of this registry is named.")
_CANCELLED: Final = gettext_noop("An upload that was begun through the API appeared in the folder, and was cancelled.")
_NOT_CANCELLED: Final = gettext_noop(
    "An upload that was begun through the API appeared in the folder. It could not be cancelled, and stays until the"
    " registry purges it."
)
_NO_TAG: Final = gettext_noop("No tag in its storage folder could be compared with the API.")
_SAME_TAGS: Final = gettext_noop("%(n)s tags in the folder point to what the API says; an upload cannot prove it here.")
_OTHER_TAG: Final = gettext_noop("%(tag)s in its storage folder is not what the API says: that is of another registry.")
SENTENCES: Final = (
    _NONE_NAMED,
    _NOT_DISTRIBUTION,
    _NO_REPOSITORY,
    _NO_UPLOAD,
    _CANCELLED,
    _NOT_CANCELLED,
    _NO_TAG,
    _SAME_TAGS,
    _OTHER_TAG,
)


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
        proof = _prove(registry, folder, client, listed_by)
    except (_NotTheSame, StorageFault) as reason:
        return ApiSource(client), str(reason)
    return FolderSource(folder, listed_by, thorough=thorough), proof


def own_folder(registry: Registry, client: RegistryClient) -> tuple[StorageFolder | None, str]:
    """The storage folder once it is proved to be the registry's own, for whoever changes something in it; else why not.

    Raises RegistryError when the registry itself cannot be asked.
    """
    if not registry.storage:
        return None, _NONE_NAMED
    try:
        folder = StorageFolder(registry.storage)
        _prove(registry, folder, client, _listed_by(client.ping().generation))
    except (_NotTheSame, StorageFault) as reason:
        return None, str(reason)
    return folder, ""


def _listed_by(generation: int | None) -> ListedBy:
    """What makes a repository one of the catalog."""
    listed_by = _LISTED_BY.get(generation)
    if listed_by is None:
        raise _NotTheSame(_NOT_DISTRIBUTION)
    return listed_by


def _prove(registry: Registry, folder: StorageFolder, client: RegistryClient, listed_by: ListedBy) -> str:
    """How they were proved to be one. Raises _NotTheSame."""
    names = sorted(folder.repositories(listed_by=listed_by))
    if not names:
        raise _NotTheSame(_NO_REPOSITORY)
    if not registry.capability(_UPLOADS_STAY):
        with suppress(Refused):  # read-only, or we may not push
            return _prove_by_upload(registry, folder, client, names[0])
    return _prove_by_tags(folder, client, names)


def _prove_by_upload(
    registry: Registry, folder: StorageFolder, client: RegistryClient, repository: RepositoryName
) -> str:
    upload = client.begin_upload(repository)
    try:
        appeared = _appears(folder, repository, upload.uuid)
    finally:
        is_cancelled = _cancel(registry, client, upload)
    if not appeared:
        raise _NotTheSame(_NO_UPLOAD)
    return _CANCELLED if is_cancelled else _NOT_CANCELLED


def _appears(folder: StorageFolder, repository: RepositoryName, uuid: str) -> bool:
    for pause in _APPEARS:
        time.sleep(pause)
        if folder.has_upload(repository, uuid):
            return True
    return False


def _cancel(registry: Registry, client: RegistryClient, upload: Upload) -> bool:
    """Whether nothing of it stays; a registry that refuses that is not given another."""
    try:
        client.cancel_upload(upload)
    except (Unauthorized, Denied, Unsupported):
        learn(registry, **{_UPLOADS_STAY: True})
        return False
    except RegistryError:  # a busy one may take it next time; it purges what is left open
        return False
    return True


def _prove_by_tags(folder: StorageFolder, client: RegistryClient, names: list[RepositoryName]) -> str:
    sample = random.sample(names, min(_SAMPLE, len(names)))
    compared = sum(_compare(client, repository, _some(folder, repository)) for repository in sample)
    if not compared:
        raise _NotTheSame(_NO_TAG)
    return _SAME_TAGS % {"n": compared}


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
            raise _NotTheSame(_OTHER_TAG % {"tag": f"{repository}:{link.name}"})
        count += 1
    return count
