"""Reading the manifests of a batch of tags: network to values, nothing written.

A tag whose digest is known costs one conditional request (304, no body, no pull event). The children of
an index are read by digest in the same repository, since being listed there does not mean being there.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final

from catalog.policy import MAX_DEPTH
from catalog.scanning.known import KnownTag, children_of, known_manifests
from catalog.scanning.patience import Patience
from oci.client import Fetched, RegistryClient
from oci.errors import NotFound, RegistryError
from oci.model import ImageIndex
from oci.names import Digest, RepositoryName, TagName

MAX_CHILDREN: Final = 5_000  # manifests that one batch reads below its tags


@dataclass(frozen=True, slots=True)
class TagReading:
    """What one tag answered: a manifest, "as known" (`fetched` None, no failure), or a failure."""

    tag: TagName
    fetched: Fetched | None = None
    known: KnownTag | None = None
    failure: RegistryError | None = None

    @property
    def digest(self) -> str | None:
        if self.fetched is not None:
            return str(self.fetched.digest)
        return self.known.digest if self.known else None


@dataclass(slots=True)
class BatchReading:
    """What a batch of tags answered, the content that was new, and what is and is not there below them."""

    tags: list[TagReading]
    contents: dict[str, Fetched] = field(default_factory=dict)  # by digest, children first
    present: set[str] = field(default_factory=set)  # digests of children that are in the repository
    missing: dict[str, str] = field(default_factory=dict)  # digests of children that are not, and why
    absent: set[str] = field(default_factory=set)  # those of the missing that the registry itself says it has not


def read_tag(client: RegistryClient, repository: RepositoryName, tag: TagName, known: KnownTag | None) -> TagReading:
    """One request. Never raises a RegistryError: it is the tag's reading."""
    unless = Digest.parse(known.digest) if known and known.digest else None
    try:
        return TagReading(tag, client.manifest(repository, tag, unless=unless), known)
    except RegistryError as error:
        return TagReading(tag, known=known, failure=error)


class BatchReader:
    """Reads batches of one registry's tags; requests of later batches are under way meanwhile."""

    def __init__(self, pool: Executor, client: RegistryClient, patience: Patience, *, thorough: bool) -> None:
        """Thorough: whether the children of an unchanged index are still there is asked too, one request each."""
        self._pool, self._client, self._patience, self._thorough = pool, client, patience, thorough

    def read(self, repository: RepositoryName, repository_id: int, readings: Iterable[TagReading]) -> BatchReading:
        """Complete the readings of tags with what lies below their indexes."""
        batch = BatchReading(list(readings))
        roots: dict[str, list[str]] = {}
        for reading in batch.tags:
            self._patience.heard(reading.failure)
            if reading.fetched is not None:
                batch.contents[str(reading.fetched.digest)] = reading.fetched
                roots[str(reading.fetched.digest)] = _children(reading.fetched)
        # An image that was not whole is looked at again: what was missing may be there by now.
        again = [r.known.manifest_id for r in batch.tags if r.known and r.fetched is None and self._asks_again(r.known)]
        roots |= children_of(again)
        self._descend(repository, repository_id, batch, [digest for below in roots.values() for digest in below])
        children = [item for item in batch.contents.items() if item[0] not in roots]
        tagged = [item for item in batch.contents.items() if item[0] in roots]
        batch.contents = dict([*reversed(children), *tagged])
        return batch

    def _asks_again(self, known: KnownTag) -> bool:
        return self._thorough or not known.whole

    def _descend(self, repository: RepositoryName, repository_id: int, batch: BatchReading, wanted: list[str]) -> None:
        seen: set[str] = set(batch.contents)
        for _ in range(MAX_DEPTH):
            wanted = [digest for digest in dict.fromkeys(wanted) if digest not in seen]
            if not wanted:
                return
            seen.update(wanted)
            there = known_manifests(repository_id, wanted)
            if not self._thorough:
                batch.present.update(digest for digest, known in there.items() if known.here)
            asked = [digest for digest in wanted if digest not in batch.present][: MAX_CHILDREN - len(batch.contents)]
            begun = [self._pool.submit(self._read_child, repository, digest, known=digest in there) for digest in asked]
            below: list[str] = []
            for digest, answer in zip(asked, begun, strict=True):
                below += self._note(batch, digest, answer.result())
            whole = [known.manifest_id for digest, known in there.items() if digest in batch.present]
            below += [child for children in children_of(whole).values() for child in children]
            wanted = below
        for digest in wanted:
            if digest not in seen:
                batch.missing[digest] = f"lies more than {MAX_DEPTH} indexes deep and was not read"

    def _read_child(self, repository: RepositoryName, digest: str, *, known: bool) -> Fetched | RegistryError | None:
        """None: it is there, as known from elsewhere."""
        wanted = Digest.parse(digest)
        try:
            if not known:
                return self._client.manifest(repository, wanted)
            if self._client.manifest_exists(repository, wanted):
                return None
        except RegistryError as error:
            return error
        return NotFound.build(f"HEAD {repository}@{digest}", 404)

    def _note(self, batch: BatchReading, digest: str, answer: Fetched | RegistryError | None) -> list[str]:
        if isinstance(answer, NotFound):
            batch.missing[digest] = "is not in this repository"
            batch.absent.add(digest)
            return []
        if isinstance(answer, RegistryError):
            self._patience.heard(answer)
            batch.missing[digest] = str(answer)
            return []
        batch.present.add(digest)
        if answer is None:
            return []
        batch.contents[digest] = answer
        return _children(answer)


def _children(fetched: Fetched) -> list[str]:
    if isinstance(fetched.manifest, ImageIndex):
        return [str(child.digest) for child in fetched.manifest.manifests]
    return []
