"""The storage folder of a registry, asked as its API would be."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from typing import Final, NoReturn

from oci.errors import BadAnswer, DigestMismatch, NotFound, Reason, TooLarge
from oci.fetched import Fetched
from oci.model import MANIFEST_LIMIT
from oci.names import Digest, RepositoryName, parse_repository
from oci.storage.aside import Aside
from oci.storage.blobs import BlobFile, read_blobs
from oci.storage.faults import Faults, Odd, StorageFault, Unreadable, is_absent, shown, why
from oci.storage.garbage import Collector, Garbage
from oci.storage.links import DIGEST, LINK_LIMIT, names, read_digests, said_instead
from oci.storage.listing import ItemT, Listing
from oci.storage.marking import Marks, Places
from oci.storage.removal import remove_below, remove_untouched
from oci.storage.repositories import ListedBy, RepositoryWalk
from oci.storage.revisions import RevisionLink, read_revisions
from oci.storage.tags import TagLink, read_tags
from oci.storage.tree import Tree
from oci.storage.uploads import Upload, parse_uuid, read_uploads
from oci.streams import PIECE

_LAYOUT: Final = "docker/registry/v2"
_REPOSITORIES: Final = f"{_LAYOUT}/repositories"
_BLOBS: Final = f"{_LAYOUT}/blobs"
_REVISIONS: Final = "_manifests/revisions"
_LAYERS: Final = "_layers"
_OF_A_DISK: Final = frozenset({"lost+found"})  # what a new file system brings along
_LISTED_BY: Final[tuple[ListedBy, ...]] = ("_layers", "_manifests")
_CURE: Final = "Name the folder that the registry's configuration calls rootdirectory, and let Berth read it."


class StorageFolder:
    """`root` is what the registry calls `rootdirectory`. Keeps nothing open; threads may share it.

    StorageFault when it is no readable storage; an empty folder is the storage of an empty registry. `faults` holds
    what was left out of the answers and that no answer speaks of. It may be pickled: the copy finds out too when
    the folder is another one by then.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.faults = Faults()
        path = os.fspath(root)
        self._root = shown(path)
        if not path.startswith("/") or "\0" in path:
            raise StorageFault(f"The storage folder {self._root} has to be a path from the top, like /var/lib/registry")
        try:
            self._tree = Tree(path)
            self._check_layout()
            self._identity = self._tree.identity(_REPOSITORIES)
        except OSError as error:
            raise StorageFault(f"The storage folder {self._root} cannot be used: {why(error)}. {_CURE}") from error

    def repositories(self, *, listed_by: ListedBy = "_layers") -> Listing[RepositoryName]:
        """All of them, in no order; Unreadable on the way when one folder cannot be listed."""
        walk = RepositoryWalk(self._tree, _REPOSITORIES, listed_by, self.faults)
        return Listing(lambda listing: self._complete(walk.names(listing)))

    def tags(self, repository: RepositoryName) -> Listing[TagLink]:
        """All of them, in no order; on the way Unreadable when the folder cannot be listed.

        NotFound with NAME_UNKNOWN, as the API would say, where there never was a tag.
        """
        path = f"{_repository(repository)}/_manifests/tags"

        def read(listing: Listing[TagLink]) -> Iterator[TagLink]:
            try:
                with self._tree.folder(path) as folder:
                    yield from read_tags(self._tree, folder, self.faults, listing)
            except OSError as error:
                self._refuse(error, f"storage {repository} tags", "NAME_UNKNOWN")

        return Listing(read)

    def manifest(self, repository: RepositoryName, digest: Digest | str, *, limit: int = MANIFEST_LIMIT) -> Fetched:
        """Its bytes, hashed. NotFound unless this repository links it and its data are there."""
        wanted = _digest(digest)
        return Fetched(wanted, "", self._content(repository, _REVISIONS, wanted, limit, "MANIFEST_UNKNOWN"))

    def manifest_exists(self, repository: RepositoryName, digest: Digest | str) -> bool:
        """Whether this repository links it and its data are there, as a HEAD would tell; nothing is hashed."""
        wanted = _digest(digest)
        try:
            self._tree.status(_data(self._target(repository, _REVISIONS, wanted)))
        except BadAnswer:  # the link names something else
            return False
        except OSError as error:
            return self._not_there(error, f"storage {repository}@{wanted}")
        return True

    def blob(self, repository: RepositoryName, digest: Digest | str, *, limit: int) -> bytes:
        """Its bytes, at most `limit`, hashed. NotFound unless this repository links it and its data are there."""
        return self._content(repository, _LAYERS, _digest(digest), limit, "BLOB_UNKNOWN")

    def layer_size(self, repository: RepositoryName, digest: Digest) -> int:
        """Its bytes on disk; nothing is hashed. NotFound unless this repository links it and its data are there."""
        try:
            return self._tree.status(_data(self._target(repository, _LAYERS, digest))).st_size
        except OSError as error:
            self._refuse(error, f"storage {repository}@{digest}", "BLOB_UNKNOWN")

    def layer_pieces(self, repository: RepositoryName, digest: Digest) -> Iterator[bytes]:
        """Its bytes, a piece at a time, never hashed; errors as those of `layer_size`."""
        try:
            opened = self._tree.open_file(_data(self._target(repository, _LAYERS, digest)))
            try:
                while piece := os.read(opened, PIECE):
                    yield piece
            finally:
                os.close(opened)
        except OSError as error:
            self._refuse(error, f"storage {repository}@{digest}", "BLOB_UNKNOWN")

    def revisions(self, repository: RepositoryName) -> Iterator[str]:
        """The digests of all manifests of a repository, tagged or not; none for what is no repository."""
        return self._complete(read_digests(self._tree, f"{_repository(repository)}/{_REVISIONS}", self.faults))

    def revision_links(self, repository: RepositoryName) -> Iterator[RevisionLink]:
        """The same, with when each was pushed, and those too of which nobody knows what they stand for."""
        return self._complete(read_revisions(self._tree, f"{_repository(repository)}/{_REVISIONS}"))

    def layer_links(self, repository: RepositoryName) -> Iterator[str]:
        """The digests of all blobs that a repository may serve, whether their data are there or not."""
        return self._complete(read_digests(self._tree, f"{_repository(repository)}/{_LAYERS}", self.faults))

    def blob_size(self, digest: Digest | str) -> int | None:
        """Its bytes on disk, whichever repository has it; None when its data are not there."""
        wanted = _digest(digest)
        try:
            return self._tree.status(_data(wanted)).st_size
        except OSError as error:
            self._not_there(error, f"storage {wanted}")
        return None

    def blobs(self) -> Iterator[BlobFile]:
        """Everything on disk, manifests among them."""
        return self._complete(read_blobs(self._tree, _BLOBS, self.faults))

    def aside(self) -> Aside:
        """Where data that nothing refers to are moved. Nothing is made or looked at yet."""
        return Aside(self._tree, _REPOSITORIES, _BLOBS)

    def marks(self, since_ns: int) -> Marks:
        """What is in use, once it was read. `since_ns`: the time on the clock of the file system (`Aside.now_ns`)."""
        return Marks(self._tree, Places(_REPOSITORIES, _BLOBS, self._every_name), since_ns)

    def garbage(
        self, marks: Marks, before_ns: int, kept: Collection[str], busy: Collection[RepositoryName]
    ) -> Iterator[Garbage]:
        """See `Collector.garbage`."""
        unused = self._complete(read_blobs(self._tree, _BLOBS, self.faults, marks.is_used))
        return Collector(self._tree, _BLOBS, marks).garbage(unused, before_ns, kept, busy)

    def uploads(self, repository: RepositoryName) -> Iterator[Upload]:
        return self._complete(read_uploads(self._tree, f"{_repository(repository)}/_uploads", self.faults))

    def has_upload(self, repository: RepositoryName, uuid: str) -> bool:
        """Whether an upload of this name is open here; InvalidName for what is no UUID."""
        try:
            self._tree.status(f"{_repository(repository)}/_uploads/{parse_uuid(uuid)}/startedat")
        except OSError as error:
            return self._not_there(error, f"storage {repository} upload {uuid}")
        return True

    def folders_in(self, namespace: RepositoryName) -> list[str]:
        """The names of what lies below a namespace, repository or not; none where it is not there."""
        try:
            with self._tree.folder(_repository(namespace)) as folder:
                return folder.names
        except OSError as error:
            self._not_there(error, f"storage {namespace}")
        return []

    def remove_upload(self, repository: RepositoryName, uuid: str, *, untouched_since: float) -> bool:
        """Remove what stays of an upload that nobody has written to since then, in seconds since 1970.

        False where somebody has, or it is not there any more; StorageFault when it cannot be removed.
        """
        path = f"{_repository(repository)}/_uploads"
        try:
            with self._tree.folder(path) as folder:
                return remove_untouched(folder.descriptor, parse_uuid(uuid), untouched_since)
        except OSError as error:
            if not is_absent(error):
                raise Unreadable(f"{shown(path)}/{uuid}: {why(error)}") from error
            self._check_still_there()
            return False

    def remove(self, repository: RepositoryName) -> None:
        """Remove what the registry keeps of a repository, and of the folders above it those that are empty then.

        Repositories that lie below it stay. StorageFault when it cannot be removed; what went is gone.
        """
        parse_repository(repository)
        parts = repository.split("/")
        try:
            with self._tree.folder(_REPOSITORIES) as top:
                remove_below(top.descriptor, parts)
        except OSError as error:
            raise Unreadable(f"{shown(repository)}: {why(error)}") from error
        self._check_still_there()

    def _every_name(self) -> list[RepositoryName]:
        """Of what has manifests or blobs, whichever the registry lists by. Unreadable where the list may be short."""
        names: set[RepositoryName] = set()
        for listed_by in _LISTED_BY:
            listing = self.repositories(listed_by=listed_by)
            names |= set(listing)
            if listing.rejected or listing.unread:
                raise Unreadable(
                    "some folders among the repositories cannot be read as such, so what they use is not known"
                )
        return sorted(names)

    def _content(self, repository: RepositoryName, kind: str, digest: Digest, limit: int, code: str) -> bytes:
        try:
            content = self._tree.read(_data(self._target(repository, kind, digest)), limit)
        except OSError as error:
            self._refuse(error, f"storage {repository}@{digest}", code)
        if not digest.matches(content):
            raise DigestMismatch(f"{digest} is stored as {Digest.of(content)}")
        return content

    def _target(self, repository: RepositoryName, kind: str, digest: Digest) -> Digest:
        """Under which digest the data are that a repository links as `digest`."""
        link = f"{_repository(repository)}/{kind}/{digest.algorithm}/{digest.hex}/link"
        content = self._tree.read(link, LINK_LIMIT)
        if not DIGEST.fullmatch(content):
            raise BadAnswer(f"storage {repository}@{digest}: {said_instead(content)}")
        said = content.decode()
        if not names(said, digest.algorithm, digest.hex):
            raise DigestMismatch(f"{digest} is linked to {said}")
        return Digest.parse(said)

    def _complete(self, items: Iterator[ItemT]) -> Iterator[ItemT]:
        yield from items
        self._check_still_there()

    def _not_there(self, error: OSError, request: str) -> bool:
        """False when that is what the error says; otherwise it is not known, and raised."""
        if not is_absent(error):
            self._refuse(error, request)
        self._check_still_there()
        return False

    def _refuse(self, error: OSError, request: str, code: str = "") -> NoReturn:
        """The error that a client of the API would meet."""
        if is_absent(error):
            self._check_still_there()
            raise NotFound.build(request, NotFound.status, (Reason(code, why(error)),)) from error
        if error.errno == errno.EFBIG and isinstance(error, Odd):
            raise TooLarge(f"{request}: {why(error)}") from error
        if isinstance(error, Odd) or error.errno == errno.ELOOP:
            raise BadAnswer(f"{request}: {why(error)}") from error
        raise Unreadable(f"{request}: {why(error)}") from error

    def _check_layout(self) -> None:
        with self._tree.folder("") as folder, os.scandir(folder.descriptor) as entries:
            empty = all(entry.name in _OF_A_DISK for entry in entries)
        if empty:
            return
        try:
            with self._tree.folder(_LAYOUT) as folder:
                os.scandir(folder.descriptor).close()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StorageFault(
                f"The folder {self._root} holds no {_LAYOUT}, so it is no registry's. {_CURE}"
            ) from error

    def _check_still_there(self) -> None:
        """An unmounted disk leaves an empty folder, and then nothing that is missing may count as deleted."""
        try:
            identity = self._tree.identity(_REPOSITORIES)
        except OSError as error:
            raise Unreadable(f"The storage folder {self._root} cannot be read any more: {why(error)}") from error
        if self._identity is not None and identity != self._identity:
            raise StorageFault(f"The storage folder {self._root} was taken away or replaced while it was read")


def _repository(name: RepositoryName) -> str:
    return f"{_REPOSITORIES}/{parse_repository(name)}"


def _data(digest: Digest) -> str:
    return f"{_BLOBS}/{digest.algorithm}/{digest.hex[:2]}/{digest.hex}/data"


def _digest(digest: Digest | str) -> Digest:
    return digest if isinstance(digest, Digest) else Digest.parse(digest)
