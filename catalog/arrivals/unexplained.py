"""Changes that scans saw and nobody told of: recorded as such, with the time between which they were made.

A change is looked at a while after it was seen, when what the registry had to tell of it has surely been handled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_noop

from audit.models import Delivery, Entry, EventStream
from audit.services import record
from catalog.models import ChangeLook, Repository, Scan, TagSpan
from registries.models import Registry

GRACE: Final = timedelta(seconds=60)
_HELD_UP: Final = timedelta(hours=1)  # then it is looked at, whatever waits in the inbox
_OVERLAP: Final = timedelta(minutes=5)  # a change is written some time after its moment
_SINGLY: Final = 100  # changes of one repository; beyond that they are one entry
_TOGETHER: Final = 500
_MANY: Final = gettext_noop("%(n)s tags; the repository's own page lists them")
SENTENCES: Final = (_MANY,)
_ACT: Final = Entry.Act


@dataclass(frozen=True, slots=True)
class _Change:
    """A span that began or, where no other followed it, ended. `name` tells it from all others."""

    span: TagSpan
    at: datetime
    after: str

    @property
    def name(self) -> str:
        return f"{self.span.pk}:{'began' if self.after else 'ended'}"


def look(now: datetime) -> None:
    """Look at what has changed since the last look, in each registry that was scanned before it."""
    for registry in Registry.objects.active():
        row = ChangeLook.objects.filter(registry=registry).first()
        if row is None:  # what the first scan finds has not changed
            first = Scan.objects.complete().filter(registry=registry).order_by("id").first()
            if first is not None:
                begun = first.finished_at or now
                ChangeLook.objects.get_or_create(registry=registry, defaults={"begun_at": begun, "looked_until": begun})
            continue
        until = now - GRACE
        waits = Delivery.objects.filter(registry_id=registry.pk, received_at__lt=until).exists()
        if until > row.looked_until and not (waits and now - row.looked_until < _HELD_UP):
            _look(registry, row, until)


def _look(registry: Registry, row: ChangeLook, until: datetime) -> None:
    """Two looks at once, or one after a crash, write each entry once: by its key."""
    since = max(row.looked_until - _OVERLAP, row.begun_at)
    for repository in Repository.objects.filter(pk__in=_changed(registry, since, until)).only("name"):
        summed_until = _summed_until(registry, repository.name)
        _note(registry, repository, _changes(repository, max(since, summed_until or since), until))
    ChangeLook.objects.filter(pk=row.pk).update(looked_until=until)


def _changed(registry: Registry, since: datetime, until: datetime) -> QuerySet[TagSpan, int]:
    """The repositories in which something did."""
    spans = TagSpan.objects.filter(repository__registry=registry).order_by().values_list("repository", flat=True)
    began = spans.filter(began__gt=since, began__lte=until)
    return began.union(spans.filter(ended__gt=since, ended__lte=until))


def _note(registry: Registry, repository: Repository, changes: Iterable[_Change]) -> None:
    """Record those that nobody told of."""
    untold = (change for change in changes if not _is_told(registry, repository, change))
    entries = _entries(registry, repository, untold)
    known = set(Entry.objects.filter(key__in={entry.key for entry in entries}).values_list("key", flat=True))
    if new := [entry for entry in entries if entry.key not in known]:
        with transaction.atomic():
            record(new)
            counted = sum(entry.count for entry in new)
            EventStream.objects.filter(pk=registry.pk).update(unexplained=F("unexplained") + counted)


def _summed_until(registry: Registry, repository: str) -> datetime | None:
    """Until when the changes of a repository were so many that they became one entry, which names no tag."""
    sums = Entry.objects.of_tag(registry.pk, repository, "").filter(act=_ACT.CHANGE).but_pulls()
    return sums.newest_first().values_list("at", flat=True).first()


def _changes(repository: Repository, since: datetime, until: datetime) -> Iterator[_Change]:
    """One after the other, however many there are."""
    spans = TagSpan.objects.filter(repository=repository).select_related("tag", "manifest")
    for span in spans.filter(began__gt=since, began__lte=until).iterator(chunk_size=_TOGETHER):
        yield _Change(span, span.began, span.manifest.digest)
    for span in spans.filter(ended__gt=since, ended__lte=until).iterator(chunk_size=_TOGETHER):
        if span.ended and not TagSpan.objects.filter(tag=span.tag, began=span.ended).exists():
            yield _Change(span, span.ended, "")


def _is_told(registry: Registry, repository: Repository, change: _Change) -> bool:
    """Whether an entry says so: one that came after what was there before."""
    span = change.span
    entries = Entry.objects.of_tag(registry.pk, repository.name, span.tag.name)
    told = entries.filter(outcome=Entry.Outcome.DONE, digest_after=change.after).but_pulls()
    if change.after:
        earlier = TagSpan.objects.filter(tag=span.tag, began__lt=span.began).order_by("-began").first()
        return (told.filter(at__gte=earlier.began) if earlier else told).exists()
    return told.filter(at__gte=span.began).exists()


def _entries(registry: Registry, repository: Repository, changes: Iterable[_Change]) -> list[Entry]:
    few: list[_Change] = []
    count, last = 0, None
    for count, change in enumerate(changes, start=1):
        few += [change] if count <= _SINGLY else []
        last = change if last is None or change.at > last.at else last
    if last is None or count <= _SINGLY:
        return [_entry(registry, repository, change) for change in few]
    of_many = {"tag": "", "digest_before": "", "digest_after": "", "count": count}
    said = _MANY % {"n": f"{count:,}"}
    return [_entry(registry, repository, last, **of_many, key=f"changes:{last.name}", detail=said)]


def _entry(registry: Registry, repository: Repository, change: _Change, **more: Any) -> Entry:
    before = Scan.objects.complete().filter(registry=registry, finished_at__lt=change.at).newest_first().first()
    said = {
        "key": f"change:{change.name}",
        "tag": change.span.tag.name,
        "digest_before": _before(change),
        "digest_after": change.after,
        **more,
    }
    return Entry(
        act=_ACT.CHANGE,
        source=Entry.Source.SCAN,
        outcome=Entry.Outcome.DONE,
        at=change.at,
        since=before.started_at if before else None,
        registry=registry.name,
        registry_id=registry.pk,
        repository=repository.name,
        **said,
    )


def _before(change: _Change) -> str:
    if not change.after:
        return change.span.manifest.digest
    earlier = TagSpan.objects.filter(tag=change.span.tag, ended=change.at).select_related("manifest").first()
    return earlier.manifest.digest if earlier else ""
