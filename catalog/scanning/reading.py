"""Reading the manifests of a batch of tags: content to values, which are kept as soon as they are many.

The children of an index are read by digest in the same repository, since being listed there does not mean being there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from catalog.policy import MAX_DEPTH
from catalog.scanning.ahead import Crew
from catalog.scanning.known import KnownTag, children_of, known_manifests
from catalog.scanning.patience import Patience
from oci.errors import NotFound, RegistryError
from oci.fetched import Fetched
from oci.model import ImageIndex
from oci.names import Digest, RepositoryName, TagName

MAX_CHILDREN: Final = 5_000  # manifests that one batch reads below its tags
MOST_HELD: Final = 8 * 2**20  # bytes of manifests in a batch: a registry may send four megabytes for each

Keep: TypeAlias = Callable[[Mapping[str, Fetched]], object]


class Contents(Protocol):
    """Where content is read from by its digest: a registry's client, or its storage folder."""

    def manifest(self, repository: RepositoryName, target: Digest, /) -> Fetched | None: ...

    def manifest_exists(self, repository: RepositoryName, digest: Digest, /) -> bool: ...

    def blob(self, repository: RepositoryName, digest: Digest, /, *, limit: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class TagReading:
    """What one tag pointed to: `digest`, or None while that is not known, which `failure` explains.

    `fetched` is its manifest where that came along. `link_ns` is the time of its link in the storage folder.
    """

    tag: TagName
    digest: str | None
    fetched: Fetched | None = None
    known: KnownTag | None = None
    failure: RegistryError | None = None
    link_ns: int | None = None

    @property
    def weight(self) -> int:
        return len(self.fetched.content) if self.fetched else 0

    @property
    def is_as_known(self) -> bool:
        """Nothing has to be written of it."""
        known = self.known
        return (
            known is not None
            and self.failure is None
            and not known.problem
            and self.digest == known.digest
            and known.whole
            and self.link_ns in {None, known.link_ns}
        )


@dataclass(slots=True)
class BatchReading:
    """What a batch of tags pointed to, the content that was new, and what is and is not there below them."""

    tags: list[TagReading]
    contents: dict[str, Fetched] = field(default_factory=dict)  # by digest; not yet kept
    present: set[str] = field(default_factory=set)  # digests of manifests that are in the repository
    missing: dict[str, str] = field(default_factory=dict)  # digests of children that are not, and why
    absent: set[str] = field(default_factory=set)  # those of the missing that the registry itself says it has not
    read: int = 0  # manifests that were read

    @property
    def weight(self) -> int:
        """Bytes that it holds."""
        return sum(map(_weight, self.contents.values()))


class BatchReader:
    """Reads what lies below the tags of a batch; tags of later batches are under way meanwhile."""

    def __init__(self, crew: Crew, contents: Contents, patience: Patience, *, thorough: bool) -> None:
        """Thorough: whether the children of an unchanged index are still there is asked too, each of them."""
        self._crew, self._contents, self._patience, self._thorough = crew, contents, patience, thorough

    def read(
        self, repository: RepositoryName, repository_id: int, readings: Iterable[TagReading], keep: Keep
    ) -> BatchReading:
        """Complete the readings of tags with what lies below their indexes.

        `keep` stores manifests for good; it is called once so many are held that they would fill the memory.
        """
        batch = BatchReading(list(readings))
        roots: list[str] = []
        for reading in batch.tags:
            if reading.fetched is not None and (digest := str(reading.digest)) not in batch.contents:
                batch.contents[digest] = reading.fetched
                batch.read += 1
                roots += _children(reading.fetched)
            if reading.digest is not None and reading.failure is None and not reading.is_as_known:
                batch.present.add(reading.digest)
        # An image that was not whole is looked at again: what was missing may be there by now.
        again = [r.known.manifest_id for r in batch.tags if r.known and r.fetched is None and self._asks_again(r)]
        # Nor did an index come along whose content is known, from another repository or a scan that was killed.
        arrived = {r.digest for r in batch.tags if r.fetched is None and r.failure is None and self._has_come(r)}
        again += [known.manifest_id for known in known_manifests(repository_id, filter(None, arrived)).values()]
        roots += [digest for below in children_of(again).values() for digest in below]
        self._descend(repository, repository_id, batch, roots, keep)
        return batch

    @staticmethod
    def _has_come(reading: TagReading) -> bool:
        return reading.known is None or reading.digest != reading.known.digest

    def _asks_again(self, reading: TagReading) -> bool:
        known = reading.known
        return known is not None and reading.digest == known.digest and (self._thorough or not known.whole)

    def _descend(
        self, repository: RepositoryName, repository_id: int, batch: BatchReading, wanted: list[str], keep: Keep
    ) -> None:
        seen: set[str] = set(batch.contents)
        asked, held = 0, sum(map(_weight, batch.contents.values()))
        for _ in range(MAX_DEPTH):
            wanted = [digest for digest in dict.fromkeys(wanted) if digest not in seen]
            if not wanted:
                return
            seen.update(wanted)
            there = known_manifests(repository_id, wanted)
            if not self._thorough:
                batch.present.update(digest for digest, known in there.items() if known.here)
            asking = [digest for digest in wanted if digest not in batch.present][: MAX_CHILDREN - asked]
            asked += len(asking)
            answers = self._crew.map(
                lambda digest, there=there: self._read_child(repository, digest, known=digest in there),  # type: ignore[misc]
                asking,
                _weight,
                soon=True,
            )
            below: list[str] = []
            for digest, answer in zip(asking, answers, strict=True):
                below += self._note(batch, digest, answer)
                held += _weight(answer)
                if held > MOST_HELD:
                    keep(batch.contents)
                    batch.contents, held = {}, 0
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
                return self._contents.manifest(repository, wanted)
            if self._contents.manifest_exists(repository, wanted):
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
        batch.read += 1
        return _children(answer)


def _weight(answer: Fetched | RegistryError | None) -> int:
    return len(answer.content) if isinstance(answer, Fetched) else 0


def _children(fetched: Fetched) -> list[str]:
    if isinstance(fetched.manifest, ImageIndex):
        return [str(child.digest) for child in fetched.manifest.manifests]
    return []
