"""Tags that come, move and go, each with the spans of its history. No row is touched that does not change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db.models import F

from catalog.models import Repository, Tag, TagSpan
from catalog.recording import presences, settling
from catalog.recording.content import known_ids, store
from catalog.recording.dating import date_indexes, date_presences
from catalog.scanning.known import KnownTag
from catalog.scanning.reading import BatchReading, TagReading
from catalog.sort_keys import natural_key
from jobs.running import Lease


@dataclass(slots=True)
class Changes:
    """How many tags came, moved and went."""

    new: int = 0
    moved: int = 0
    gone: int = 0

    def __iadd__(self, other: Changes) -> Self:
        self.new += other.new
        self.moved += other.moved
        self.gone += other.gone
        return self

    def __bool__(self) -> bool:
        return bool(self.new or self.moved or self.gone)


def record(lease: Lease, repository: Repository, batch: BatchReading, now: datetime) -> Changes:
    """Write what a batch of tags answered: content, presences, then, in one transaction, the tags that point to them.

    Whoever is killed before that last transaction has left nothing that shows, and does it all again.
    """
    ids = store(lease, batch.contents)
    ids |= known_ids(digest for digest in batch.present if digest not in ids)
    here = [ids[digest] for digest in batch.present | set(batch.contents) if digest in ids]
    places = presences.arrive(lease, repository, here, now) if here else {}
    lost = presences.lose(lease, repository, batch.absent, now) if batch.absent else False
    again = {r.known.manifest_id for r in batch.tags if r.known and r.known.manifest_id and (lost or not r.known.whole)}
    settling.settle_indexes(lease, repository, settling.indexes_among({*here, *again}), batch.missing)
    pointing = _Pointing(repository, now, {d: (pk, places[pk]) for d, pk in ids.items() if pk in places})
    with lease.writing():
        pointing.point(batch.tags)
        settling.count_tags(repository, pointing.touched)
        date_presences(date_indexes(here) | set(here))
    return pointing.changes


class _Pointing:
    """Points the tags of one batch to their presences."""

    def __init__(self, repository: Repository, now: datetime, places: Mapping[str, tuple[int, int]]) -> None:
        self._repository, self._now, self._places = repository, now, places
        self.touched: set[int] = set()  # presences that won or lost a tag
        self.changes = Changes()

    def point(self, readings: list[TagReading]) -> None:
        names = [reading.tag for reading in readings if reading.known is None]
        returning = {tag.name: tag for tag in Tag.objects.filter(repository=self._repository, name__in=names)}
        fresh: list[TagReading] = []
        for reading in readings:
            if reading.known is not None:
                self._known(reading, reading.known)
            elif reading.tag in returning:
                self._returns(reading, returning[reading.tag])
            else:
                fresh.append(reading)
        self._create(fresh)
        count = self.changes.new
        if count:
            Repository.objects.filter(pk=self._repository.pk).update(tag_count=F("tag_count") + count)

    def _place(self, reading: TagReading) -> tuple[int, int] | None:
        """Manifest and presence of what the tag points to now; None while that is not known."""
        return self._places.get(reading.digest or "") if reading.fetched else None

    def _create(self, readings: list[TagReading]) -> None:
        if not readings:
            return
        Tag.objects.bulk_create(
            Tag(
                repository=self._repository,
                name=reading.tag,
                key=natural_key(reading.tag),
                presence_id=(self._place(reading) or (None, None))[1],
                problem=_problem(reading),
                first_seen=self._now,
                moved_at=self._now,
            )
            for reading in readings
        )
        rows = Tag.objects.filter(repository=self._repository, name__in=[reading.tag for reading in readings])
        ids = dict(rows.values_list("name", "id"))
        spans = [(ids[reading.tag], self._place(reading)) for reading in readings]
        TagSpan.objects.bulk_create(
            TagSpan(tag_id=tag, manifest_id=place[0], began=self._now) for tag, place in spans if place
        )
        self.touched.update(place[1] for _, place in spans if place)
        self.changes.new += len(readings)

    def _returns(self, reading: TagReading, tag: Tag) -> None:
        """A tag that was gone is there again: the same row, with a new span."""
        place = self._place(reading)
        Tag.objects.filter(pk=tag.pk).update(
            gone_at=None,
            moved_at=self._now,
            presence_id=place[1] if place else None,
            problem=_problem(reading),
        )
        self._span(tag.pk, place)
        self.changes.new += 1

    def _known(self, reading: TagReading, known: KnownTag) -> None:
        problem = _problem(reading)
        if reading.failure is None and reading.fetched is not None:
            place = self._place(reading)
            if place is not None and place[1] != known.presence_id:
                self._move(known, place)
        if problem != known.problem:
            Tag.objects.filter(pk=known.tag_id).update(problem=problem)

    def _move(self, known: KnownTag, place: tuple[int, int]) -> None:
        if known.presence_id is None:  # it could not be read before: it did not move
            Tag.objects.filter(pk=known.tag_id).update(presence_id=place[1])
        else:
            Tag.objects.filter(pk=known.tag_id).update(presence_id=place[1], moved_at=self._now)
            TagSpan.objects.filter(tag_id=known.tag_id, ended=None).update(ended=self._now)
            self.touched.add(known.presence_id)
            self.changes.moved += 1
        self._span(known.tag_id, place)

    def _span(self, tag_id: int, place: tuple[int, int] | None) -> None:
        if place is not None:
            TagSpan.objects.create(tag_id=tag_id, manifest_id=place[0], began=self._now)
            self.touched.add(place[1])


def _problem(reading: TagReading) -> str:
    return str(reading.failure) if reading.failure else ""


def drop(repository: Repository, tag_ids: Collection[int], now: datetime) -> Changes:
    """Mark tags as gone, with their history; inside the caller's transaction."""
    tags = Tag.objects.live().filter(pk__in=tag_ids)
    held = {pk for pk in tags.values_list("presence_id", flat=True) if pk is not None}
    gone = tags.update(gone_at=now, problem="")
    TagSpan.objects.filter(tag_id__in=tag_ids, ended=None).update(ended=now)
    settling.count_tags(repository, held)
    Repository.objects.filter(pk=repository.pk).update(tag_count=F("tag_count") - gone)
    return Changes(gone=gone)
