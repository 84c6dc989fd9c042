"""Data that nothing refers to, moved aside by one rename, so that they can be put back as long as they are not deleted.

They lie beside what the registry reads, in ROOT/berth-aside/ALGORITHM/HEX/data: the same file system, and nothing that
the registry or its own garbage collection ever looks at. This is the one place where Berth writes into a registry's
storage, with the links that it puts back.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from typing import Final, NamedTuple

from oci.names import Digest
from oci.storage.faults import Odd, StorageFault, Unreadable, is_absent, shown, why
from oci.storage.links import ALGORITHMS, DIGEST, read_link
from oci.storage.marking import Link
from oci.storage.tree import OpenFolder, Tree
from oci.streams import PIECE

FOLDER: Final = "berth-aside"
_CLOCK: Final = "clock"  # an empty file whose time is that of the file system
_LINK: Final = "link"
_FRESH: Final = "link.berth"  # a link before it has its name; a registry never reads it
_PLAIN_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_MODE: Final = 0o644
_FOLDER_MODE: Final = 0o755
_NOT_OURS: Final = (
    "The storage folder belongs to user {owner}, and Berth's worker runs as {user}: what it put back there the registry"
    " could not write. Run the worker as that user, or as root."
)
_ELSEWHERE: Final = "{path} is on another file system than the rest of the storage folder, so nothing can be moved."


class Set(NamedTuple):
    """What lies aside."""

    digest: str
    size: int


class Aside:
    """Of one storage folder, whose `repositories` and `blobs` are paths below its root. Errors are StorageFaults."""

    def __init__(self, tree: Tree, repositories: str, blobs: str) -> None:
        self._tree, self._repositories, self._blobs = tree, repositories, blobs

    def prepare(self) -> None:
        """Make the folder; StorageFault where data could not be moved there, or put back as they were."""
        try:
            with self._tree.folder("") as root:
                status = os.fstat(root.descriptor)
                if os.geteuid() not in {0, status.st_uid}:
                    raise StorageFault(_NOT_OURS.format(owner=status.st_uid, user=os.geteuid()))
                _make(root, FOLDER)
            for algorithm in ALGORITHMS:
                with self._tree.folder(FOLDER) as folder:
                    _make(folder, algorithm)
            self._check_device(self._blobs)
            self._check_device(self._repositories)
        except OSError as error:
            raise StorageFault(f"Nothing can be moved aside in the storage folder: {why(error)}") from error

    def now_ns(self) -> int:
        """The time on the clock of the file system."""
        try:
            with self._tree.folder(FOLDER) as folder:
                with suppress(FileNotFoundError):
                    os.unlink(_CLOCK, dir_fd=folder.descriptor)
                os.close(os.open(_CLOCK, _PLAIN_FILE, _FILE_MODE, dir_fd=folder.descriptor))
                return os.stat(_CLOCK, dir_fd=folder.descriptor).st_mtime_ns
        except OSError as error:
            raise Unreadable(f"nothing can be written into {FOLDER}: {why(error)}") from error

    def take(self, digest: Digest) -> bool:
        """Move the data of a blob aside; False where there are none."""
        try:
            with self._beside(digest) as here, self._tree.folder(self._prefix(digest)) as there:
                if not _has_data(there, digest.hex):
                    return False
                _discard(here, digest.hex)  # an older one of the same content
                os.rename(digest.hex, digest.hex, src_dir_fd=there.descriptor, dst_dir_fd=here.descriptor)
                return True
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unreadable(f"{digest} cannot be moved aside: {why(error)}") from error

    def put_back(self, digest: Digest, size: int | None = None) -> bool:
        """Move it back; False where it is not aside, or not whole.

        It is whole if it has `size` bytes, or where nobody knows how many, if it hashes right. Where it was pushed
        again meanwhile, that stays.
        """
        try:
            with self._beside(digest) as here:
                if not _has_data(here, digest.hex) or not self._is_whole(here, digest, size):
                    return False
                with self._made(self._blobs, digest.algorithm, digest.hex[:2]) as there:
                    _move_back(digest.hex, here, there)
                return True
        except OSError as error:
            raise Unreadable(f"{digest} cannot be put back: {why(error)}") from error

    def drop(self, digest: Digest) -> None:
        """Delete what lies aside of it, for good."""
        try:
            with self._beside(digest) as here:
                _discard(here, digest.hex)
        except OSError as error:
            raise Unreadable(f"{digest} cannot be deleted: {why(error)}") from error

    def is_aside(self, digest: Digest) -> bool:
        try:
            with self._beside(digest) as here:
                return _has_data(here, digest.hex)
        except OSError as error:
            if is_absent(error):
                return False
            raise Unreadable(f"{digest} cannot be looked for: {why(error)}") from error

    def everything(self) -> Iterator[Set]:
        """All that lies aside, whoever moved it."""
        for algorithm, grammar in ALGORITHMS.items():
            try:
                with self._tree.folder(f"{FOLDER}/{algorithm}") as folder:
                    for hex_ in filter(grammar.fullmatch, folder.names):
                        with suppress(FileNotFoundError):
                            size = os.stat(f"{hex_}/data", dir_fd=folder.descriptor, follow_symlinks=False).st_size
                            yield Set(f"{algorithm}:{hex_}", size)
            except OSError as error:
                if not is_absent(error):
                    raise Unreadable(f"{FOLDER} cannot be listed: {why(error)}") from error

    def link(self, link: Link, digest: Digest) -> None:
        """Let a repository serve the blob `digest` again, as it did by `link`; nothing changes where it does.

        Nor where the repository itself is gone.
        """
        named = Digest.parse(link.digest)
        try:
            if self._tree.identity(f"{self._repositories}/{link.repository}") is None:
                return
            with self._made(f"{self._repositories}/{link.repository}", "_layers", named.algorithm, named.hex) as folder:
                if self._holds_digest(folder):
                    return
                with suppress(FileNotFoundError):
                    os.unlink(_FRESH, dir_fd=folder.descriptor)
                written = os.open(_FRESH, _PLAIN_FILE, _FILE_MODE, dir_fd=folder.descriptor)
                try:
                    os.write(written, str(digest).encode())
                    _give(written, folder)
                    os.fsync(written)  # a link that a power cut left empty would be one that nobody mends
                finally:
                    os.close(written)
                os.rename(_FRESH, _LINK, src_dir_fd=folder.descriptor, dst_dir_fd=folder.descriptor)
        except OSError as error:
            raise Unreadable(f"{digest} cannot be linked in {link.repository} again: {why(error)}") from error

    def _is_whole(self, here: OpenFolder, digest: Digest, size: int | None) -> bool:
        if size is not None:
            return _size(here, digest.hex) == size
        hashed = hashlib.new(digest.algorithm)
        opened = self._tree.open_file(f"{here.path}/{digest.hex}/data")
        try:
            while piece := os.read(opened, PIECE):
                hashed.update(piece)
        finally:
            os.close(opened)
        return hashed.hexdigest() == digest.hex

    def _holds_digest(self, folder: OpenFolder) -> bool:
        try:
            return DIGEST.fullmatch(read_link(self._tree, folder, _LINK)[0]) is not None
        except FileNotFoundError:
            return False

    def _check_device(self, path: str) -> None:
        with self._tree.folder(FOLDER) as here, self._tree.folder(path) as there:
            if os.fstat(here.descriptor).st_dev != os.fstat(there.descriptor).st_dev:
                raise StorageFault(_ELSEWHERE.format(path=shown(path)))

    def _beside(self, digest: Digest) -> AbstractContextManager[OpenFolder]:
        return self._tree.folder(f"{FOLDER}/{digest.algorithm}")

    def _prefix(self, digest: Digest) -> str:
        return f"{self._blobs}/{digest.algorithm}/{digest.hex[:2]}"

    def _made(self, path: str, *below: str) -> AbstractContextManager[OpenFolder]:
        """The folder `below` an existing one, made where it is not there, with the same owner."""
        for name in below:
            with self._tree.folder(path) as folder:
                _make(folder, name)
            path = f"{path}/{name}"
        return self._tree.folder(path)


def _make(folder: OpenFolder, name: str) -> None:
    try:
        os.mkdir(name, _FOLDER_MODE, dir_fd=folder.descriptor)
    except FileExistsError:
        return
    made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder.descriptor)
    try:
        _give(made, folder)
    finally:
        os.close(made)


def _give(descriptor: int, folder: OpenFolder) -> None:
    """What was made belongs to whom the folder belongs to: the registry has to be able to write it."""
    owner = os.fstat(folder.descriptor)
    if os.geteuid() == 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _move_back(hex_: str, here: OpenFolder, there: OpenFolder) -> None:
    """Of what is there already the data stay, if they are as many bytes."""
    try:
        os.rename(hex_, hex_, src_dir_fd=here.descriptor, dst_dir_fd=there.descriptor)
    except OSError as error:
        if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
            raise
        if _size(there, hex_) != _size(here, hex_):
            data = f"{hex_}/data"
            os.rename(data, data, src_dir_fd=here.descriptor, dst_dir_fd=there.descriptor)
        _discard(here, hex_)


def _has_data(folder: OpenFolder, hex_: str) -> bool:
    return _size(folder, hex_) is not None


def _size(folder: OpenFolder, hex_: str) -> int | None:
    """Of its data; None where there are none."""
    try:
        return os.stat(f"{hex_}/data", dir_fd=folder.descriptor, follow_symlinks=False).st_size
    except FileNotFoundError:
        return None


def _discard(folder: OpenFolder, hex_: str) -> None:
    """By the path of the data: whoever has moved the folder away just now keeps them."""
    with suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.stat(hex_, dir_fd=folder.descriptor, follow_symlinks=False).st_mode):
            raise Odd(errno.ENOTDIR, "something else stands where a folder should be")
        with suppress(FileNotFoundError):
            os.unlink(f"{hex_}/data", dir_fd=folder.descriptor)
        try:
            os.rmdir(hex_, dir_fd=folder.descriptor)
        except OSError as error:
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                raise
            shutil.rmtree(hex_, dir_fd=folder.descriptor)
