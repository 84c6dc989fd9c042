"""Reading manifests from a storage folder, each to its record: also a program, which reads while its parent writes.

`python -m catalog.scanning.reader` is told by its standard input of a folder and then of requests, answers on its
standard output, and ends with its input, so a parent that is killed leaves nothing behind. It loads no Django.
What passes between the two is theirs alone, hence pickled; `beside` is the parent's end.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias

from catalog.recording.records import ConfigRecord, ManifestRecord, compressed
from oci.config import CONFIG_LIMIT
from oci.errors import NotFound, Reason, RegistryError
from oci.model import ImageManifest
from oci.names import Digest, RepositoryName
from oci.storage import StorageFolder

Answer: TypeAlias = ManifestRecord | RegistryError | None  # None: it is there, and known already

_WITH_CONFIG: Final = frozenset({"image", "chart"})  # kinds whose config says something to read
_WRITTEN: Final = 16_384  # bytes that are answered at once
_NICE: Final = 10  # lets whoever serves a page on this machine go first, and the scan that writes
_ABSENT: Final = Reason("MANIFEST_UNKNOWN", "it is not there")  # as the folder says of what nobody knows


class Request(NamedTuple):
    repository: RepositoryName
    digests: list[str]
    known: frozenset[str]  # those of them that are, and of which it is asked only whether they are there


def read(
    folder: StorageFolder, repository: RepositoryName, digests: Iterable[str], known: Container[str]
) -> Iterator[Answer]:
    """What came of each, in order."""
    for digest in digests:
        try:
            yield _read(folder, repository, Digest.parse(digest), is_known=digest in known)
        except RegistryError as error:
            yield error


def _read(
    folder: StorageFolder, repository: RepositoryName, digest: Digest, *, is_known: bool
) -> ManifestRecord | None:
    """An image or a chart brings its config along; one that does not come is read later, and its fault told there."""
    if is_known:
        if folder.manifest_exists(repository, digest):
            return None
        raise NotFound.build(f"storage {repository}@{digest}", NotFound.status, (_ABSENT,))
    fetched = folder.manifest(repository, digest)
    record = ManifestRecord.of(fetched)._replace(document=compressed(fetched.content))
    image = fetched.manifest
    if isinstance(image, ImageManifest) and image.kind in _WITH_CONFIG and image.config.size <= CONFIG_LIMIT:
        with suppress(RegistryError):
            config = folder.blob(repository, image.config.digest, limit=CONFIG_LIMIT)
            record = record._replace(config=ConfigRecord.of(config), config_document=compressed(config))
    return record


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent decides
    os.nice(_NICE)
    folder: StorageFolder = pickle.load(sys.stdin.buffer)  # noqa: S301  of our parent
    with suppress(EOFError, BrokenPipeError), os.fdopen(os.dup(sys.stdout.fileno()), "wb", _WRITTEN) as answers:
        while True:
            request: Request = pickle.load(sys.stdin.buffer)  # noqa: S301
            for answer in read(folder, *request):
                pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()


if __name__ == "__main__":
    _serve()
