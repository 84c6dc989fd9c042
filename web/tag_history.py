"""What a tag named, from when to when, and who moved it, as far as Berth knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

from django.db.models import Subquery

from audit.models import Entry
from catalog.models import ChangeLook, Presence, Tag, TagSpan
from catalog.models.repositories import LONG_AGO

_MOST: Final = 100
_MOST_ENTRIES: Final = 300


@dataclass(frozen=True, slots=True)
class Named:
    """A digest that the tag named. `act` is what Berth did to begin it; None: a push, or whatever scans then saw."""

    digest: str
    size: int
    began: datetime
    ended: datetime | None
    act: Entry | None
    end: Entry | None  # what Berth did to end it
    is_first: bool  # it was so when Berth first looked at the repository: since when nobody knows
    is_reached: bool  # some tag or index reaches it still

    @property
    def is_now(self) -> bool:
        return self.ended is None


def entries_of(tag: Tag) -> list[Entry]:
    """What happened to it lately, but for pulls, the newest first. One query."""
    mine = Entry.objects.of_tag(tag.repository.registry_id, tag.repository.name, tag.name)
    return list(mine.but_pulls().newest_first()[:_MOST_ENTRIES])


def history_of(tag: Tag, entries: Sequence[Entry]) -> list[Named]:
    """The newest first, at most `_MOST`. Two queries, three of a tag to which very much happened.

    `entries` are those of the tag.
    """
    first = TagSpan.objects.filter(repository=tag.repository).order_by("began").values("began")[:1]
    looks = ChangeLook.objects.filter(registry=tag.repository.registry_id).values("begun_at")
    found = TagSpan.objects.filter(tag=tag).annotate(found_at=Subquery(first), looked_at=Subquery(looks))
    spans = list(found.select_related("manifest").order_by("-began", "-id")[:_MOST])
    places = Presence.objects.filter(repository=tag.repository, manifest__in={span.manifest_id for span in spans})
    here = {place.manifest_id: place for place in places}
    acts = _by_moment(entry for entry in entries if entry.outcome == Entry.Outcome.DONE)
    if len(entries) == _MOST_ENTRIES:  # there may be more, and older
        mine = Entry.objects.of_tag(tag.repository.registry_id, tag.repository.name, tag.name)
        moments = {at for span in spans for at in (span.began, span.ended) if at} - acts.keys()
        acts |= _by_moment(mine.but_pulls().done_at(moments))
    return [
        Named(
            digest=span.manifest.digest,
            size=here[span.manifest_id].size if span.manifest_id in here else 0,
            began=span.began,
            ended=span.ended,
            act=(act := _that_began(span, earlier, acts, entries)),
            end=_that_ended(span, acts, entries),
            is_first=act is None and span.began == span.found_at and _was_first_look(span),
            is_reached=span.manifest_id in here and here[span.manifest_id].gone_at is None,
        )
        for span, earlier in zip_longest(spans, spans[1:])
    ]


def _was_first_look(span: Any) -> bool:
    """Of the registry; a repository that a later scan found had come since the one before."""
    return span.looked_at is None or span.began <= span.looked_at


def _by_moment(entries: Iterable[Entry]) -> dict[datetime, list[Entry]]:
    """Of those of one moment the oldest comes first."""
    found: dict[datetime, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.pk):
        found.setdefault(entry.at, []).append(entry)
    return found


def _that_began(
    span: TagSpan, earlier: TagSpan | None, acts: Mapping[datetime, Sequence[Entry]], entries: Sequence[Entry]
) -> Entry | None:
    digest, since = span.manifest.digest, earlier.began if earlier else LONG_AGO
    return _that_led_to(digest, acts.get(span.began, [])) or _told(digest, since, span.began, entries)


def _that_ended(span: TagSpan, acts: Mapping[datetime, Sequence[Entry]], entries: Sequence[Entry]) -> Entry | None:
    if span.ended is None:
        return None
    return next(iter(acts.get(span.ended, [])), None) or _told("", span.began, span.ended, entries)


def _told(digest: str, since: datetime, until: datetime, entries: Sequence[Entry]) -> Entry | None:
    """What the registry had told before it could be read again: the last of it within that time."""
    told = (entry for entry in entries if entry.source == Entry.Source.EVENT and since < entry.at <= until)
    return next((entry for entry in told if entry.digest_after == digest), None)


def _that_led_to(digest: str, entries: Sequence[Entry]) -> Entry | None:
    """Of several moves that were told together, the one after which it was seen."""
    return next((entry for entry in entries if entry.digest_after == digest), next(iter(entries), None))
