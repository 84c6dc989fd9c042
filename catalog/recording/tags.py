"""Tags that come, move and go, each with the spans of its history. No row is touched that does not change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Self

from catalog.models import Repository, Tag, TagSpan
from catalog.recording import acts, presences, settling
from catalog.recording.content import known_ids, store
from catalog.recording.dating import date_by_links, date_indexes, date_presences
from catalog.recording.refreshing import unsettle
from catalog.rows import add, hold, insert, moment, select, update
from catalog.scanning.known import KnownTag
from catalog.scanning.reading import BatchReading, TagReading
from catalog.versions import tag_key
from jobs.running import Lease

TAG_COLUMNS: Final = ("repository_id", "name", "key", "presence_id", "problem", "first_seen", "moved_at", "link_ns")


@dataclass(slots=True)
class Changes:
    """How many tags came, moved and went; `other` where something else was written."""

    new: int = 0
    moved: int = 0
    gone: int = 0
    other: bool = False

    def __iadd__(self, other: Changes) -> Self:
        self.new += other.new
        self.moved += other.moved
        self.gone += other.gone
        self.other |= other.other
        return self

    def __bool__(self) -> bool:
        return bool(self.new or self.moved or self.gone or self.other)


def record(  # noqa: PLR0913  a scan and an act write the same, for reasons of their own
    lease: Lease,
    repository: Repository,
    batch: BatchReading,
    now: datetime,
    *,
    since: datetime | None = None,
    restores: bool = False,
    along: Callable[[], None] | None = None,
) -> Changes:
    """Write what a batch of tags answered: content, presences, then, in one transaction, the tags that point to them.

    Whoever is killed before that last transaction has left nothing that shows, and does it all again. A tag that
    Berth itself has set out to change after `since`, when the reading began, is left as it is: nobody knows which of
    the two came first. Images that are restored keep their dates. `along` is written in that transaction too.
    """
    changed = [reading for reading in batch.tags if not reading.is_as_known]
    if changed and since is not None:
        changed = acts.without_throwaways(repository, batch, changed)
    if not changed and not batch.present and not batch.absent:
        return Changes()
    ids = batch.kept | (store(lease, batch.contents) if batch.contents else {})
    ids |= known_ids(digest for digest in batch.present if digest not in ids)
    here = [ids[digest] for digest in batch.present if digest in ids]
    places = presences.arrive(lease, repository, here, now, restores=restores)
    lost = presences.lose(lease, repository, batch.absent, now) if batch.absent else False
    again = {r.known.manifest_id for r in batch.tags if r.known and r.known.manifest_id and (lost or not r.known.whole)}
    settling.settle_indexes(lease, repository, settling.indexes_among({*here, *again}), batch.missing)
    pointing = _Pointing(
        repository, now, {digest: _Place(pk, places[pk]) for digest, pk in ids.items() if pk in places}
    )
    with lease.writing():
        hold(Repository, repository.pk)
        if since is not None:
            changed = acts.not_acted_on(repository, changed, since)
        pointing.point(changed)
        settling.count_tags(repository, pointing.won, pointing.lost)
        date_presences(date_indexes(here) | set(here))
        date_by_links(pointing.linked, now)
        if pointing.changes or pointing.won:
            unsettle(repository)
        if along is not None:
            along()
    pointing.changes.other |= bool(lost or batch.read)
    return pointing.changes


class _Place(NamedTuple):
    """Where a tag points."""

    manifest_id: int
    presence_id: int


class _Pointing:
    """Points the tags of one batch to their presences."""

    def __init__(self, repository: Repository, now: datetime, places: Mapping[str, _Place]) -> None:
        self._repository, self._now, self._places = repository, now, places
        self.won: dict[int, list[str]] = {}  # by presence, the tags that came to it
        self.lost: set[int] = set()  # presences that lost a tag
        self.linked: dict[int, int] = {}  # the newest time of a link to each presence, where a folder told
        self.changes = Changes()

    def point(self, readings: Iterable[TagReading]) -> None:
        unknown = [reading for reading in readings if reading.known is None]
        here = f"repository_id = {self._repository.pk:d}"
        returning = dict(select(Tag, ("name", "id"), "name", [reading.tag for reading in unknown], here))
        for reading in unknown:
            if reading.tag in returning:
                self._return(reading, returning[reading.tag])
        self._create([reading for reading in unknown if reading.tag not in returning])
        for reading in readings:
            if reading.known is not None:
                self._update(reading, reading.known)
            self._link(reading)
        self._relink([r for r in readings if r.known is not None and r.link_ns != r.known.link_ns])
        add(Repository, "tag_count", self.changes.new, self._repository.pk)

    def _place(self, reading: TagReading) -> _Place | None:
        """None while it is not known."""
        return self._places.get(reading.digest or "") if reading.failure is None else None

    def _create(self, readings: list[TagReading]) -> None:
        if not readings:
            return
        now, rows = moment(self._now), []
        for reading in readings:
            place = self._place(reading)
            presence = place.presence_id if place else None
            if presence is not None:
                self.won.setdefault(presence, []).append(reading.tag)
            key = tag_key(reading.tag)
            rows.append((self._repository.pk, reading.tag, key, presence, _problem(reading), now, now, reading.link_ns))
        insert(Tag, TAG_COLUMNS, rows)
        self._open_spans([reading.tag for reading in readings])
        self.changes.new += len(readings)

    def _open_spans(self, names: list[str]) -> None:
        """A first span for each of these tags that points somewhere."""
        here = f"repository_id = {self._repository.pk:d} AND presence_id IS NOT NULL"
        tags = select(Tag, ("id", "presence_id"), "name", names, here)
        manifests = {place.presence_id: place.manifest_id for place in self._places.values()}
        insert(
            TagSpan,
            ("tag_id", "repository_id", "manifest_id", "began"),
            # In the order in which the tags were written, whichever index the database read them by.
            [(tag, self._repository.pk, manifests[presence], moment(self._now)) for tag, presence in sorted(tags)],
        )

    def _return(self, reading: TagReading, tag_id: int) -> None:
        """A tag that was gone is there again: the same row, with a new span."""
        place = self._place(reading)
        Tag.objects.filter(pk=tag_id).update(
            gone_at=None,
            moved_at=self._now,
            presence_id=place.presence_id if place else None,
            problem=_problem(reading),
            link_ns=reading.link_ns,
        )
        self._span(tag_id, reading.tag, place)
        self.changes.new += 1

    def _update(self, reading: TagReading, known: KnownTag) -> None:
        problem, place = _problem(reading), self._place(reading)
        if place is not None and place.presence_id != known.presence_id:
            self._move(reading.tag, known, place)
        if problem != known.problem:
            Tag.objects.filter(pk=known.tag_id).update(problem=problem)
            self.changes.other = True

    def _move(self, name: str, known: KnownTag, place: _Place) -> None:
        if known.presence_id is None:  # it could not be read before: it did not move
            Tag.objects.filter(pk=known.tag_id).update(presence_id=place.presence_id)
            self.changes.other = True
        else:
            Tag.objects.filter(pk=known.tag_id).update(presence_id=place.presence_id, moved_at=self._now)
            TagSpan.objects.filter(tag_id=known.tag_id, ended=None).update(ended=self._now)
            self.lost.add(known.presence_id)
            self.changes.moved += 1
        self._span(known.tag_id, name, place)

    def _span(self, tag_id: int, name: str, place: _Place | None) -> None:
        if place is not None:
            TagSpan.objects.create(
                tag_id=tag_id, repository=self._repository, manifest_id=place.manifest_id, began=self._now
            )
            self.won.setdefault(place.presence_id, []).append(name)

    def _link(self, reading: TagReading) -> None:
        place = self._place(reading)
        presence = place.presence_id if place else None
        if reading.link_ns is not None and presence is not None:
            self.linked[presence] = max(reading.link_ns, self.linked.get(presence, 0))

    def _relink(self, readings: list[TagReading]) -> None:
        """The time of a link; an API tells none, and what was known of a link that moved since is wrong then."""
        rows = [
            (reading.link_ns, reading.known.tag_id)
            for reading in readings
            if reading.known is not None and (reading.link_ns is not None or reading.digest != reading.known.digest)
        ]
        update(Tag, ("link_ns",), rows)
        self.changes.other |= bool(rows)


def _problem(reading: TagReading) -> str:
    return str(reading.failure) if reading.failure else ""


def drop(repository: Repository, tag_ids: Collection[int], now: datetime, *, since: datetime | None = None) -> Changes:
    """Mark tags as gone, with their history; inside the caller's transaction. For `since` see `record`."""
    hold(Repository, repository.pk)
    tags = Tag.objects.live().filter(pk__in=tag_ids)
    if since is not None:
        tags = tags.exclude(acted_at__gte=since)
        tag_ids = list(tags.values_list("id", flat=True))
    held = {pk for pk in tags.values_list("presence_id", flat=True) if pk is not None}
    gone = tags.update(gone_at=now, problem="")
    TagSpan.objects.filter(tag_id__in=tag_ids, ended=None).update(ended=now)
    settling.count_tags(repository, {}, held)
    add(Repository, "tag_count", -gone, repository.pk)
    unsettle(repository)
    return Changes(gone=gone)
