"""Reading what lies below the tags of a batch: content to values, which are kept as soon as they are many.

The children of an index are read by digest in the same repository, since being listed there does not mean being there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from django.utils.translation import gettext_noop

from catalog.policy import MAX_DEPTH
from catalog.recording.content import Content
from catalog.recording.records import ManifestRecord
from catalog.scanning.ahead import Crew
from catalog.scanning.known import children_of, known_manifests
from catalog.scanning.patience import Patience
from catalog.scanning.reading import MOST_HELD, Answer, BatchReading, Contents, Keep, TagReading
from catalog.scanning.work import Batch
from oci.errors import BadAnswer, NotFound, RegistryError
from oci.model import ImageIndex

MAX_CHILDREN: Final = 5_000  # manifests that one batch reads below its tags
# Batches whose children are asked for before those of the first are needed: they are written several at a time, and
# all but the first of those would be waited for.
_BEGUN: Final = 12
# Each goes on after the platform, or the digest, that it is said of.
_NOT_HERE: Final = gettext_noop("is not in this repository")
_DEEP: Final = gettext_noop("lies more than %(n)s indexes deep and was not read")
SENTENCES: Final = (_NOT_HERE, _DEEP)

_Descent: TypeAlias = Iterator[None]  # which goes on where it would have to wait for answers


class _Begun(NamedTuple):
    batch: Batch
    reading: BatchReading
    descent: _Descent
    weight: int  # bytes that it holds until it is finished

    def finished(self) -> tuple[Batch, BatchReading]:
        for _ in self.descent:
            pass
        return self.batch, self.reading


class BatchReader:
    """Reads what lies below the tags of batches, while tags and children of later ones are under way."""

    def __init__(self, crew: Crew, contents: Contents, patience: Patience, *, thorough: bool) -> None:
        """Thorough: whether the children of an unchanged index are still there is asked too, each of them."""
        self._crew, self._contents, self._patience, self._thorough = crew, contents, patience, thorough

    def read_all(self, batches: Iterable[Batch], keep: Keep) -> Iterator[tuple[Batch, BatchReading]]:
        """The batches in their order, their readings completed with what lies below their indexes.

        `keep` stores manifests for good; it is called once so many are held that they would fill the memory.
        """
        begun: deque[_Begun] = deque()
        for batch in batches:
            while begun and (len(begun) >= _BEGUN or self._waits_for(begun, batch)):
                yield begun.popleft().finished()
            reading = BatchReading(batch.readings)
            descent = self._descend(batch, reading, keep)
            next(descent, None)
            begun.append(_Begun(batch, reading, descent, reading.weight))
        while begun:
            yield begun.popleft().finished()

    @staticmethod
    def _waits_for(begun: Iterable[_Begun], batch: Batch) -> bool:
        """Whether that is too much at once, or one of the same repository, of which nothing is read twice."""
        return sum(earlier.weight for earlier in begun) > MOST_HELD or any(
            earlier.batch.repository is batch.repository for earlier in begun
        )

    def _roots(self, repository_id: int, batch: BatchReading) -> list[str]:
        """The digests right below the tags. Notes of the tags' own manifests that they were read, and are there."""
        roots: list[str] = []
        for reading in batch.tags:
            if reading.content is not None and (digest := str(reading.digest)) not in batch.contents:
                batch.contents[digest] = reading.content
                batch.read += 1
                roots += _children(reading.content)
            if reading.digest is not None and reading.failure is None and not reading.is_as_known:
                batch.present.add(reading.digest)
        # An image that was not whole is looked at again: what was missing may be there by now.
        again = [r.known.manifest_id for r in batch.tags if r.known and r.content is None and self._asks_again(r)]
        # Nor did an index come along whose content is known, from another repository or a scan that was killed.
        arrived = {r.digest for r in batch.tags if r.content is None and r.failure is None and self._has_come(r)}
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
            answers = self._crew.map_runs(
                lambda run, known=there: self._contents.look(repository, run, known),  # type: ignore[misc]
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
                batch.missing[digest] = _DEEP % {"n": MAX_DEPTH}

    def _note(self, batch: BatchReading, digest: str, answer: Answer) -> list[str]:
        if isinstance(answer, NotFound):
            batch.missing[digest] = _NOT_HERE
            batch.absent.add(digest)
            return []
        if isinstance(answer, RegistryError):
            self._patience.heard(answer)
            batch.missing[digest] = str(answer)
            if not isinstance(answer, BadAnswer):
                batch.unanswered.add(digest)
            return []
        batch.present.add(digest)
        if answer is None:
            return []
        batch.contents[digest] = answer
        batch.read += 1
        return _children(answer)


def _weight(answer: Answer) -> int:
    return 0 if answer is None or isinstance(answer, RegistryError) else answer.weight


def _children(content: Content) -> list[str]:
    if isinstance(content, ManifestRecord):
        return content.children
    if isinstance(content.manifest, ImageIndex):
        return [str(child.digest) for child in content.manifest.manifests]
    return []
