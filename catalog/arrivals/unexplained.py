"""Changes that scans saw and nobody told of: recorded as such, with the time between which they were made.

A change is looked at a while after it was seen, when what the registry had to tell of it has surely been handled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_noop

from audit.models import Delivery, Entry, EventStream
from audit.services import record
from catalog.models import ChangeLook, Scan, TagSpan
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
    """A span that began or, where no other followed it, ended."""

    span: TagSpan
    at: datetime
    before: str
    after: str

    @property
    def key(self) -> str:
        return f"change:{self.span.pk}:{'began' if self.after else 'ended'}"


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
    since = row.looked_until - _OVERLAP
    by_repository: dict[int, list[_Change]] = {}
    for change in (*_began(registry, since, until), *_ended(registry, since, until)):
        if change.at > row.begun_at and not _is_told(registry, change):
            by_repository.setdefault(change.span.repository_id, []).append(change)
    for changes in by_repository.values():
        _note(registry, changes)
    ChangeLook.objects.filter(pk=row.pk).update(looked_until=until)


def _note(registry: Registry, changes: Sequence[_Change]) -> None:
    """Record those of one repository."""
    summed_until = _summed_until(registry, changes[0].span.repository.name)
    entries = list(_entries(registry, [one for one in changes if summed_until is None or one.at > summed_until]))
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


def _spans(registry: Registry) -> QuerySet[TagSpan]:
    return TagSpan.objects.filter(repository__registry=registry).select_related("tag", "repository", "manifest")


def _began(registry: Registry, since: datetime, until: datetime) -> Iterable[_Change]:
    for span in _spans(registry).filter(began__gt=since, began__lte=until).iterator(chunk_size=_TOGETHER):
        before = TagSpan.objects.filter(tag=span.tag, ended=span.began).select_related("manifest").first()
        yield _Change(span, span.began, before.manifest.digest if before else "", span.manifest.digest)


def _ended(registry: Registry, since: datetime, until: datetime) -> Iterable[_Change]:
    for span in _spans(registry).filter(ended__gt=since, ended__lte=until).iterator(chunk_size=_TOGETHER):
        if span.ended and not TagSpan.objects.filter(tag=span.tag, began=span.ended).exists():
            yield _Change(span, span.ended, span.manifest.digest, "")


def _is_told(registry: Registry, change: _Change) -> bool:
    """Whether an entry says so: one that came after what was there before."""
    span = change.span
    entries = Entry.objects.of_tag(registry.pk, span.repository.name, span.tag.name)
    told = entries.filter(outcome=Entry.Outcome.DONE, digest_after=change.after).exclude(act=_ACT.PULL)
    if change.after:
        earlier = TagSpan.objects.filter(tag=span.tag, began__lt=span.began).order_by("-began").first()
        return (told.filter(at__gte=earlier.began) if earlier else told).exists()
    return told.filter(at__gte=span.began).exists()


def _entries(registry: Registry, changes: Sequence[_Change]) -> Iterable[Entry]:
    if len(changes) > _SINGLY:
        last = max(changes, key=lambda change: change.at)
        of_many = {"tag": "", "digest_before": "", "digest_after": "", "count": len(changes)}
        said = _MANY % {"n": f"{len(changes):,}"}
        yield _entry(registry, last, **of_many, key=f"changes:{last.span.pk}", detail=said)
        return
    for change in changes:
        yield _entry(registry, change)


def _entry(registry: Registry, change: _Change, **more: Any) -> Entry:
    before = Scan.objects.complete().filter(registry=registry, finished_at__lt=change.at).newest_first().first()
    said = {
        "key": change.key,
        "tag": change.span.tag.name,
        "digest_before": change.before,
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
        repository=change.span.repository.name,
        **said,
    )
