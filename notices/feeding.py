"""From the audit and the failed jobs to notices: each thing once for each recipient that wants it, none missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from audit.models import Entry
from jobs.models import Job
from notices.kinds import OF_AN_ACT, Kind
from notices.models import Mark, Notice, Subscription
from notices.payload import of_entry, of_job
from registries.models import Registry
from registries.patterns import matches

_SETTLED: Final = timedelta(minutes=2)  # then whoever took a lower id has committed
_LATE: Final = timedelta(minutes=5)  # a job's end is written some time after its moment
_TOGETHER: Final = 200  # things a transaction


class Thing(NamedTuple):
    """`source`: what it is called in a notice, as entry-12."""

    source: str
    kind: Kind
    registry_id: int | None
    repository: str
    row: Entry | Job


def feed(now: datetime) -> int:
    """Queue what is new for whoever wants it; how many notices that were. A second one finds nothing."""
    mark = Mark.objects.first() or _begin(now)
    wanting = list(Subscription.objects.filter(enabled=True))
    return _feed_entries(mark, wanting, now) + _feed_jobs(mark, wanting, now)


def newest_entry() -> int:
    """The highest id in the audit."""
    return Entry.objects.aggregate(top=Max("id"))["top"] or 0


def _begin(now: datetime) -> Mark:
    """Nothing is told of what was before the first recipient, so this is early enough."""
    top = newest_entry()
    floors = {"floor": 0, "floor_at": now, "next_floor": top, "next_floor_at": now}
    return Mark.objects.get_or_create(pk=1, defaults={**floors, "top": 0, "jobs_until": now})[0]


def _feed_entries(mark: Mark, wanting: list[Subscription], now: datetime) -> int:
    above = Entry.objects.filter(pk__gt=mark.floor)
    there = above.aggregate(top=Max("id"), seen=Count("id"))
    top, seen = there["top"] or mark.floor, there["seen"]
    told = 0
    if (top, seen) != (mark.top, mark.seen):
        if wanting:
            first = min(one.after_entry for one in wanting)
            wanted = above.filter(act__in=OF_AN_ACT, outcome=Entry.Outcome.DONE, pk__gt=first, pk__lte=top)
            told = _queue(_things(wanted), wanting, now)
        Mark.objects.filter(pk=mark.pk).update(top=top, seen=seen)
    if now - mark.next_floor_at > _SETTLED:
        left = Entry.objects.filter(pk__gt=mark.next_floor, pk__lte=top).count()
        values = {"floor": mark.next_floor, "floor_at": mark.next_floor_at, "seen": left}
        Mark.objects.filter(pk=mark.pk).update(**values, next_floor=top, next_floor_at=now)
    return told


def _things(entries: QuerySet[Entry]) -> Iterator[Thing]:
    """Read a batch at a time: under a cursor that is open SQLite could not be written to once somebody else has."""
    last = 0
    while batch := list(entries.filter(pk__gt=last).order_by("pk")[:_TOGETHER]):
        last = batch[-1].pk
        for entry in batch:
            kind, _ = OF_AN_ACT[entry.act]
            yield Thing(f"entry-{entry.pk}", kind, entry.registry_id, entry.repository, entry)


def _feed_jobs(mark: Mark, wanting: list[Subscription], now: datetime) -> int:
    ended = Job.objects.filter(state=Job.State.FAILED, finished_at__gt=mark.jobs_until - _LATE).order_by("pk")
    interested = [subscription for subscription in wanting if Kind.JOB_FAILED in subscription.wishes]
    told = 0
    if interested:
        things = (Thing(f"job-{job.pk}", Kind.JOB_FAILED, _registry_of(job), "", job) for job in ended)
        told = _queue(things, interested, now)
    if now - mark.jobs_until > _SETTLED:
        Mark.objects.filter(pk=mark.pk).update(jobs_until=now)
    return told


def _registry_of(job: Job) -> int | None:
    kind, _, pk = job.subject.partition(":")
    found = pk if kind == "registry" else job.params.get("registry")
    return int(found) if str(found).isdecimal() else None


def _queue(things: Iterable[Thing], wanting: list[Subscription], now: datetime) -> int:
    told = 0
    rest = iter(things)
    while chunk := list(islice(rest, _TOGETHER)):
        pairs = [(one, thing) for thing in chunk for one in wanting if _wants(one, thing)]
        sources = {thing.source for _, thing in pairs}
        there = set(Notice.objects.filter(source__in=sources).values_list("subscription_id", "source"))
        new = [(one, thing) for one, thing in pairs if (one.pk, thing.source) not in there]
        names = dict(Registry.objects.values_list("pk", "name")) if any(isinstance(t.row, Job) for _, t in new) else {}
        # Several that feed at once queue it once: the constraint says so.
        Notice.objects.bulk_create(
            [
                Notice(
                    subscription=one,
                    source=thing.source,
                    payload=_payload(thing, names),
                    next_at=now,
                    created_at=now,
                )
                for one, thing in new
            ],
            ignore_conflicts=True,
            batch_size=50,
        )
        told += len(new)
    return told


def _payload(thing: Thing, names: dict[int, str]) -> dict[str, object]:
    if isinstance(thing.row, Entry):
        return of_entry(thing.row)
    return of_job(thing.row, names.get(thing.registry_id or 0, ""))


def _wants(one: Subscription, thing: Thing) -> bool:
    if thing.kind not in one.wishes or (one.registry_id is not None and one.registry_id != thing.registry_id):
        return False
    if isinstance(thing.row, Job):
        return (thing.row.finished_at or timezone.now()) > one.since
    return thing.row.pk > one.after_entry and matches(one.repositories, thing.repository)
