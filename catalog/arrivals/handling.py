"""Handling what registries told: a batch out of the inbox takes effect in one transaction, or not at all.

First the registry is read, with no transaction open; then entries, counts, the catalog and the note that these events
were seen are written together; then the batch leaves the inbox. Whoever is killed between any two lines has done
nothing, or all, and the next sees which.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit import inbox, seen
from audit.inbox import Refuse
from audit.models import Delivery
from audit.services import record
from catalog.arrivals import rereading, streams
from catalog.arrivals.kinds import Sort, sort_of
from catalog.arrivals.meaning import Meaning
from catalog.arrivals.own import Own
from catalog.arrivals.reading import THREADS, TURN, Found, Reader, Wanted, unread, wanted_of
from catalog.arrivals.recent import Recent
from catalog.arrivals.told import Told
from catalog.arrivals.writing import Writer
from catalog.models import Presence
from catalog.scanning.ahead import Crew
from jobs.running import Lease, LeaseLost
from oci.errors import BadAnswer, InvalidName
from oci.events import Event, parse_envelope
from oci.names import RepositoryName
from registries.models import Registry

MOST: Final = 100  # deliveries at once: what they change is written in one transaction
_LARGE: Final = gettext_noop("It has %(n)s bytes, and only the first of them were kept.")
_NOWHERE: Final = gettext_noop("It names no repository.")
_OLD: Final = gettext_noop("It is said to have happened so long ago that nobody knows whether it was told before.")
_OTHER: Final = gettext_noop("Another event had the same id before.")
_DEADLY: Final = gettext_noop("Its handling was begun %(n)s times and never came to its end.")
_MISTAKE: Final = gettext_noop("Berth itself made a mistake with it (%(fault)s); the log has the details.")
SENTENCES: Final = (_LARGE, _NOWHERE, _OLD, _OTHER, _DEADLY, _MISTAKE)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """What was taken out of the inbox, by registry."""

    tolds: dict[int, list[Told]] = field(default_factory=dict)
    counts: dict[int, streams.Counts] = field(default_factory=dict)
    registries: dict[int, Registry] = field(default_factory=dict)
    refuse: list[Refuse] = field(default_factory=list)

    def count(self, registry_id: int, name: str, number: int = 1) -> None:
        self.counts[registry_id].by_name[name] += number


class Handling:
    def __init__(self, lease: Lease) -> None:
        self.lease, self._crew = lease, Crew(THREADS)
        self._readers: dict[int, Reader] = {}
        self.writer, self._recent = Writer(lease), Recent()

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._crew.close()

    def read(self, registry: Registry, wanted: Mapping[RepositoryName, Wanted], turn: float = TURN) -> list[Found]:
        """As `Reader.read` does; nothing of a registry of which what is stored fits nothing."""
        try:
            reader = self._reader(registry)
        except InvalidName as error:
            log.warning("%s cannot be asked: %s", registry.name, error)
            return unread(registry, wanted)
        return reader.read(wanted, turn)

    def some(self) -> int:
        """Handle the oldest deliveries; how many they are."""
        deliveries = inbox.take(MOST)
        if not deliveries:
            return 0
        if deliveries[0].attempts > inbox.TRIES:
            self._park(deliveries[0], _DEADLY % {"n": inbox.TRIES})
            return 1
        try:
            refuse = self._handle(deliveries)
        except (OperationalError, InterfaceError, LeaseLost):
            inbox.put_back(deliveries)
            raise
        except Exception as error:
            log.exception("%s deliveries could not be handled", len(deliveries))
            if len(deliveries) == 1 and deliveries[0].attempts >= inbox.TRIES:
                self._park(deliveries[0], _MISTAKE % {"fault": type(error).__name__})
            return len(deliveries)  # each comes alone now
        inbox.let_go(deliveries, refuse)
        return len(deliveries)

    def _park(self, delivery: Delivery, why: str) -> None:
        registry = Registry.objects.filter(pk=delivery.registry_id).first()
        if registry is not None:
            counts = streams.Counts(delivery.received_at, [delivery.pk])
            counts.by_name["quarantined"] += 1
            with self.lease.writing():
                streams.note(registry, [], counts, timezone.now())
        inbox.let_go([delivery], [Refuse(delivery.registry_id, bytes(delivery.body), why, delivery.size)])

    def _handle(self, deliveries: list[Delivery]) -> list[Refuse]:
        batch = _Batch()
        sifted = seen.sift(_open(deliveries, batch))
        for told in sifted.conflicting:
            batch.refuse.append(Refuse(told.registry_id, told.event.raw, _OTHER))
            batch.count(told.registry_id, "quarantined")
        for told in sifted.repeated:
            batch.count(told.registry_id, "repeated")
        foreign = _foreign(sifted.new, batch)
        founds = {pk: self._read(batch.registries[pk], tolds) for pk, tolds in foreign.items()}
        now = timezone.now()
        with self.lease.writing():
            seen.note(sifted.new, now)
            for pk in batch.registries:
                self._write(batch, pk, founds.get(pk, []), foreign.get(pk, []))
        return batch.refuse

    def _read(self, registry: Registry, tolds: Iterable[Told]) -> list[Found]:
        """Each repository that is told of, read where that may have changed something."""
        tolds = list(tolds)
        unknown = _unknown(registry, [told for told in tolds if told.tag and sort_of(told) is Sort.PULL])
        wanted = wanted_of(
            (told.repository, told.event.tag, told.digest)
            if sort_of(told) is Sort.DELETE or (told.tag and (sort_of(told) is Sort.PUSH or told in unknown))
            else (told.repository, None, "")
            for told in tolds
        )
        turn = TURN if registry.retired_at is None else 0.0  # one that was let go is asked nothing more
        return self.read(registry, wanted, turn)

    def _reader(self, registry: Registry) -> Reader:
        reader = self._readers.get(registry.pk)
        if reader is not None and not reader.serves(registry):
            reader.close()
            del self._readers[registry.pk]
            reader = None
        if reader is None:
            reader = self._readers[registry.pk] = Reader(registry, self.lease, self._crew)
        return reader

    def _write(self, batch: _Batch, pk: int, founds: Iterable[Found], foreign: Iterable[Told]) -> None:
        now = timezone.now()
        by_repository: dict[RepositoryName, list[Told]] = {}
        for told in foreign:
            by_repository.setdefault(told.repository, []).append(told)
        # What may be missing was before what is told here, and the ids of entries are their order.
        entries = streams.note(batch.registries[pk], batch.tolds.get(pk, []), batch.counts[pk], now)
        for found in founds:
            meaning = Meaning(found, by_repository[found.name], self._recent, now)
            entries += meaning.before()
            self.writer.write(found, meaning.pushes, now)
            entries += meaning.after()
            rereading.note(batch.registries[pk], found, now)
        record(entries)


def _unknown(registry: Registry, pulls: Sequence[Told]) -> set[Told]:
    """Those of images that the catalog does not know: their push is told later, or was never told."""
    here = Presence.objects.present().filter(
        repository__registry=registry,
        repository__name__in={told.repository for told in pulls},
        manifest__digest__in={told.digest for told in pulls},
    )
    known = set(here.values_list("repository__name", "manifest__digest")) if pulls else set()
    return {told for told in pulls if (told.repository, told.digest) not in known}


def _open(deliveries: Iterable[Delivery], batch: _Batch) -> list[Told]:
    """The events of all deliveries; what is none, and what Berth cannot think about, is refused."""
    known = Registry.objects.in_bulk({delivery.registry_id for delivery in deliveries})
    tolds = []
    for delivery in deliveries:
        registry, body = known.get(delivery.registry_id), bytes(delivery.body)
        if registry is None:
            log.warning("delivery %s is of a registry that was removed: nobody asks for it any more", delivery.pk)
            continue
        batch.registries[registry.pk] = registry
        counts = batch.counts.setdefault(registry.pk, streams.Counts(delivery.received_at))
        counts.received_at = max(counts.received_at, delivery.received_at)
        counts.deliveries.append(delivery.pk)
        events, refused = _events(delivery, body)
        for event in events:
            if why := _why_not(event, delivery):
                refused.append(Refuse(registry.pk, event.raw, why))
            elif event.repository is not None:
                tolds.append(Told(registry, delivery.pk, delivery.received_at, event, event.repository))
        batch.refuse += refused
        batch.count(registry.pk, "quarantined", len(refused))
    return tolds


def _events(delivery: Delivery, body: bytes) -> tuple[list[Event], list[Refuse]]:
    if delivery.size > len(body):
        return [], [Refuse(delivery.registry_id, body, _LARGE % {"n": f"{delivery.size:,}"}, delivery.size)]
    try:
        events, rejected = parse_envelope(body)
    except BadAnswer as error:
        return [], [Refuse(delivery.registry_id, body, str(error), delivery.size)]
    return events, [Refuse(delivery.registry_id, part.raw, part.why) for part in rejected]


def _why_not(event: Event, delivery: Delivery) -> str:
    if event.repository is None:
        return _NOWHERE
    if event.at is not None and event.at < delivery.received_at - seen.TOO_OLD:
        return _OLD
    return ""


def _foreign(tolds: Iterable[Told], batch: _Batch) -> dict[int, list[Told]]:
    """Those that are not our own doing, by registry; all are counted by what they are."""
    own, foreign = Own(), dict[int, list[Told]]()
    for told in tolds:
        batch.tolds.setdefault(told.registry_id, []).append(told)
        batch.count(told.registry_id, "handled")
        if own.has_caused(told):
            batch.count(told.registry_id, "own")
            continue
        sort = sort_of(told)
        if sort is Sort.LOOK:
            batch.count(told.registry_id, "looks")
        elif sort is Sort.BLOB:
            batch.count(told.registry_id, "blobs")
        if sort is not Sort.LOOK and not (sort is Sort.BLOB and told.event.action == "pull"):
            foreign.setdefault(told.registry_id, []).append(told)
    return foreign
