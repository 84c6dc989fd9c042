"""What scans saw change in a registry, and whether anything recorded says so: read of many changes at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

from django.db.models import CharField, Exists, F, Max, OuterRef, QuerySet, Subquery, Value

from audit.models import Entry
from audit.reads.conditions import hidden
from catalog.models import Scan, TagSpan
from catalog.recording.chunks import by_number
from registries.models import Registry

_TOGETHER: Final = 500
_EDGES: Final = ("began", "ended")


class Seen(NamedTuple):
    """A span that began or, where no other followed it, ended."""

    span: int
    edge: str
    repository: str
    at: datetime

    @property
    def name(self) -> str:
        """It tells it from all others."""
        return f"{self.span}:{self.edge}"

    @property
    def key(self) -> str:
        """Of its entry."""
        return f"change:{self.name}"


@dataclass(frozen=True, slots=True)
class Change:
    seen: Seen
    tag: str
    before: str
    after: str
    since: datetime | None  # when the last scan began that did not see it
    there_since: datetime | None  # when what was there before was seen first
    told_at: datetime | None  # when an entry last said that the tag came to this

    @property
    def repository(self) -> str:
        return self.seen.repository

    @property
    def is_told(self) -> bool:
        """Whether an entry says so: one that came after what was there before."""
        return self.told_at is not None and (self.there_since is None or self.told_at >= self.there_since)


def reach(since: datetime, until: datetime, most: int) -> datetime:
    """The moment until which some `most` spans of all registries began, or as many ended, since then."""
    for edge in _EDGES:
        moments = _within(edge, TagSpan.objects.all(), since, until).order_by(edge).values_list(edge, flat=True)
        until = moments[most - 1 : most].first() or until
    return until


def untold(registry: Registry, since: datetime, until: datetime) -> Iterator[Change]:
    """Those of which nobody told, nor an earlier look; one repository after the other, few at a time."""
    for seen in by_number(_seen(registry, since, until), _TOGETHER):
        yield from (change for change in _changes(registry, _new(registry, seen)) if not change.is_told)


def _within(edge: str, spans: QuerySet[TagSpan], since: datetime, until: datetime) -> QuerySet[TagSpan]:
    return spans.filter(**{f"{edge}__gt": since, f"{edge}__lte": until})


def _seen(registry: Registry, since: datetime, until: datetime) -> list[Seen]:
    """Read to the end, since entries are written in between."""
    spans = TagSpan.objects.filter(repository__registry=registry).order_by()
    following = TagSpan.objects.filter(tag=OuterRef("tag"), began=OuterRef("ended"))
    began = _edges("began", _within("began", spans, since, until))
    ended = _edges("ended", _within("ended", spans, since, until).filter(~Exists(following)))
    return sorted((Seen(*row) for row in began.union(ended, all=True)), key=attrgetter("repository", "at", "span"))


def _edges(edge: str, spans: QuerySet[TagSpan]) -> QuerySet[TagSpan, Any]:
    named = spans.annotate(edge=Value(edge), name=F("repository__name"), moment=F(edge))
    return named.values_list("pk", "edge", "name", "moment")


def _new(registry: Registry, seen: Sequence[Seen]) -> list[Seen]:
    """Those that no earlier look has recorded."""
    known = set(Entry.objects.filter(key__in=[one.key for one in seen]).values_list("key", flat=True))
    summed = _summed_until(registry, {one.repository for one in seen})
    return [
        one
        for one in seen
        if one.key not in known and not (one.repository in summed and one.at <= summed[one.repository])
    ]


def _summed_until(registry: Registry, repositories: Iterable[str]) -> dict[str, datetime]:
    """Until when the changes of a repository were so many that they became one entry, which names no tag."""
    sums = Entry.objects.filter(registry_id=registry.pk, repository__in=repositories, tag="", act=Entry.Act.CHANGE)
    return dict(sums.but_pulls().order_by().values_list("repository").annotate(Max("at")))


def _changes(registry: Registry, seen: Sequence[Seen]) -> Iterator[Change]:
    """What became of each, in their order."""
    read = {edge: _read(registry, edge, [one.span for one in seen if one.edge == edge]) for edge in _EDGES}
    for one in seen:
        row = read[one.edge][one.span]
        said = {"seen": one, "tag": row["name"], "since": row["scanned"], "told_at": row["told"]}
        if one.edge == "ended":
            yield Change(**said, before=row["digest"], after="", there_since=row["began"])
        else:
            before = row["earlier_digest"] if row["earlier_ended"] == one.at else ""
            yield Change(**said, before=before, after=row["digest"], there_since=row["earlier_began"])


def _read(registry: Registry, edge: str, spans: Sequence[int]) -> dict[int, Any]:
    earlier = TagSpan.objects.filter(tag=OuterRef("tag"), began__lt=OuterRef("began")).order_by("-began")
    scans = Scan.objects.complete().filter(registry=registry, finished_at__lt=OuterRef(edge)).newest_first()
    after = OuterRef("manifest__digest") if edge == "began" else Value("", CharField())
    entries = Entry.objects.filter(
        registry_id=registry.pk, repository=OuterRef("repository__name"), tag=OuterRef("tag__name")
    ).but_pulls()
    told = entries.filter(outcome=Entry.Outcome.DONE, digest_after=after).order_by(hidden("at").desc())
    rows = TagSpan.objects.filter(pk__in=spans).values(
        "pk",
        "began",
        name=F("tag__name"),
        digest=F("manifest__digest"),
        scanned=Subquery(scans.values("started_at")[:1]),
        earlier_began=Subquery(earlier.values("began")[:1]),
        earlier_ended=Subquery(earlier.values("ended")[:1]),
        earlier_digest=Subquery(earlier.values("manifest__digest")[:1]),
        told=Subquery(told.values("at")[:1]),
    )
    return {row["pk"]: row for row in rows}
