"""Looking at a registry in its storage folder: quick, and true whatever the registry has in its caches."""

from __future__ import annotations

import hashlib
from typing import Final

from cleanup.models import Check
from cleanup.verifying.faults import Code, Fault, says_absent
from cleanup.verifying.looking import Listed, Pointed, Watch
from oci.errors import BadAnswer, DigestMismatch, NotFound, TooLarge
from oci.fetched import Fetched
from oci.model import Descriptor
from oci.names import Digest, RepositoryName, TagName
from oci.storage import ListedBy, StorageFolder

_HASHING: Final = 2  # threads: hashing leaves Python to others, reading the disk too


class ThroughFolder:
    way = Check.Way.FOLDER

    def __init__(self, folder: StorageFolder, *, is_deep: bool) -> None:
        self._folder = folder
        self.threads = _HASHING if is_deep else 0

    def repositories(self) -> list[str]:
        # By what has manifests: one that holds layers alone has no tag to look at.
        listed_by: ListedBy = "_manifests"
        return list(self._folder.repositories(listed_by=listed_by))

    def tags(self, repository: RepositoryName) -> Listed | None:
        listed = Listed({}, {})
        try:
            for link in self._folder.tags(repository):
                listed.tags[link.name] = link.digest
                if not link.digest:
                    listed.faults[link.name] = Fault.of_link(link.problem)
        except NotFound:
            return None
        return listed

    def resolve(self, repository: RepositoryName, tag: TagName, known: str) -> Pointed:  # noqa: ARG002  as listed
        return Pointed(Digest.parse(known))

    def manifest(self, repository: RepositoryName, digest: Digest, code: Code) -> Fetched | Fault:
        try:
            return self._folder.manifest(repository, digest)
        except (NotFound, BadAnswer) as error:
            return _fault(code, digest, error)

    def blob(self, repository: RepositoryName, blob: Descriptor, code: Code) -> Fault | None:
        try:
            size = self._folder.layer_size(repository, blob.digest)
        except (NotFound, BadAnswer) as error:
            return _fault(code, blob.digest, error)
        return None if size == blob.size else Fault.of_other_size(blob.digest, size, blob.size)

    def read(self, repository: RepositoryName, blob: Descriptor, code: Code, watch: Watch) -> Fault | None:
        hashed = hashlib.new(blob.digest.algorithm)
        try:
            for piece in self._folder.layer_pieces(repository, blob.digest):
                hashed.update(piece)
                watch(len(piece))
        except (NotFound, BadAnswer) as error:
            return _fault(code, blob.digest, error)
        return None if hashed.hexdigest() == blob.digest.hex else Fault.differs(blob.digest)


def _fault(code: Code, digest: Digest, error: NotFound | BadAnswer) -> Fault:
    """Raises what says nothing about whether it is there."""
    if isinstance(error, TooLarge) or (isinstance(error, NotFound) and not says_absent(error)):
        raise error
    if isinstance(error, NotFound):
        return Fault.absent(code, digest)
    if isinstance(error, DigestMismatch):
        return Fault.differs(digest)
    return Fault.unlinked(code, digest, error)
