"""What a tag named, from when to when, and who moved it, as far as Berth knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Subquery

from audit.models import Entry
from catalog.models import Presence, Tag, TagSpan

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
    found = TagSpan.objects.filter(tag=tag).annotate(found_at=Subquery(first)).select_related("manifest")
    spans = list(found.order_by("-began", "-id")[:_MOST])
    places = Presence.objects.filter(repository=tag.repository, manifest__in={span.manifest_id for span in spans})
    here = {place.manifest_id: place for place in places}
    acts = {entry.at: entry for entry in entries if entry.outcome == Entry.Outcome.DONE}
    if len(entries) == _MOST_ENTRIES:  # there may be more, and older
        mine = Entry.objects.of_tag(tag.repository.registry_id, tag.repository.name, tag.name)
        moments = {at for span in spans for at in (span.began, span.ended) if at} - acts.keys()
        acts |= {entry.at: entry for entry in mine.but_pulls().done_at(moments)}
    return [
        Named(
            digest=span.manifest.digest,
            size=here[span.manifest_id].size if span.manifest_id in here else 0,
            began=span.began,
            ended=span.ended,
            act=acts.get(span.began),
            end=acts.get(span.ended) if span.ended else None,
            is_first=span.began not in acts and span.began == span.found_at,
            is_reached=span.manifest_id in here and here[span.manifest_id].gone_at is None,
        )
        for span in spans
    ]
