"""Reading what lies below the tags of a batch: content to values, which are kept as soon as they are many.

The children of an index are read by digest in the same repository, since being listed there does not mean being there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from catalog.policy import MAX_DEPTH
from catalog.scanning.ahead import Crew
from catalog.scanning.known import children_of, known_manifests
from catalog.scanning.patience import Patience
from catalog.scanning.reading import MOST_HELD, BatchReading, Contents, Keep, TagReading
from catalog.scanning.work import Batch
from oci.errors import NotFound, RegistryError
from oci.fetched import Fetched
from oci.model import ImageIndex
from oci.names import Digest, RepositoryName

MAX_CHILDREN: Final = 5_000  # manifests that one batch reads below its tags
_BEGUN: Final = 4  # batches whose children are asked for before those of the first are needed

_Descent: TypeAlias = Iterator[None]  # which goes on where it would have to wait for answers


class BatchReader:
    """Reads what lies below the tags of batches, while tags and children of later ones are under way."""

    def __init__(self, crew: Crew, contents: Contents, patience: Patience, *, thorough: bool) -> None:
        """Thorough: whether the children of an unchanged index are still there is asked too, each of them."""
        self._crew, self._contents, self._patience, self._thorough = crew, contents, patience, thorough

    def read_all(self, batches: Iterable[Batch], keep: Keep) -> Iterator[tuple[Batch, BatchReading]]:
        """The batches in their order, their readings completed with what lies below their indexes.

        `keep` stores manifests for good; it is called once so many are held that they would fill the memory.
        """
        begun: deque[tuple[Batch, BatchReading, _Descent]] = deque()
        for batch in batches:
            while begun and (len(begun) >= _BEGUN or self._waits_for(begun, batch)):
                yield self._finished(*begun.popleft())
            reading = BatchReading(batch.readings)
            descent = self._descend(batch, reading, keep)
            next(descent, None)
            begun.append((batch, reading, descent))
        while begun:
            yield self._finished(*begun.popleft())

    @staticmethod
    def _waits_for(begun: Iterable[tuple[Batch, BatchReading, _Descent]], batch: Batch) -> bool:
        """Whether that is too much at once, or one of the same repository, of which nothing is read twice."""
        return sum(reading.weight for _, reading, _ in begun) > MOST_HELD or any(
            earlier.repository is batch.repository for earlier, _, _ in begun
        )

    @staticmethod
    def _finished(batch: Batch, reading: BatchReading, descent: _Descent) -> tuple[Batch, BatchReading]:
        for _ in descent:
            pass
        return batch, reading

    def _roots(self, repository_id: int, batch: BatchReading) -> list[str]:
        """The digests right below the tags. Notes of the tags' own manifests that they were read, and are there."""
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
        return roots + [digest for below in children_of(again).values() for digest in below]

    @staticmethod
    def _has_come(reading: TagReading) -> bool:
        return reading.known is None or reading.digest != reading.known.digest

    def _asks_again(self, reading: TagReading) -> bool:
        known = reading.known
        return known is not None and reading.digest == known.digest and (self._thorough or not known.whole)

    def _descend(self, of: Batch, batch: BatchReading, keep: Keep) -> _Descent:
        """Level by level; it yields when the manifests of one have been asked for."""
        repository, repository_id = of.work.listing.repository, of.repository.pk
        wanted = self._roots(repository_id, batch)
        seen: set[str] = set(batch.contents)
        asked, held = 0, batch.weight
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
            yield
            below: list[str] = []
            for digest, answer in zip(asking, answers, strict=True):
                below += self._note(batch, digest, answer)
                held += _weight(answer)
                if held > MOST_HELD:
                    batch.kept |= keep(batch.contents)
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
    return answer.weight if isinstance(answer, Fetched) else 0


def _children(fetched: Fetched) -> list[str]:
    if isinstance(fetched.manifest, ImageIndex):
        return [str(child.digest) for child in fetched.manifest.manifests]
    return []
