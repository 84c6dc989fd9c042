"""Why a tag points where it does: who pushed that and what it replaced, what came with it, and who pulls it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from audit.models import Entry
from audit.reads.filters import GROUPS, NAMING
from catalog.models import Presence, Tag
from web.tag_history import Named

_TOGETHER: Final = timedelta(minutes=10)  # what comes within it came together
_AROUND: Final = 20_000  # entries, on each side, among which that is looked for
_MOST_TOGETHER: Final = 200
_LOOKED_AT: Final = 1_000  # entries of the digest, for its pulls
_PULLS_OF: Final = timedelta(days=30)
_SHOWN: Final = 8
_MOVES: Final = frozenset({*NAMING, Entry.Act.CHANGE})


@dataclass(frozen=True, slots=True)
class Puller:
    actor: str  # "": the registry names nobody
    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Why:
    """`how` is None where no entry tells how the tag came here: it was there first, or only a scan saw it."""

    digest: str
    presence: Presence
    now: Named | None  # since when
    how: Entry | None
    replaced: str  # the digest that it pointed to before, "" where nothing is known of one
    together: list[str]  # other tags that came to this digest then
    acts: list[Entry]  # what Berth did to the tag lately, the newest first
    pulls: list[Entry]  # the last ones
    pullers: list[Puller]  # within 30 days, those first who pull most
    is_capped: bool  # of the pulls within 30 days only the last were looked at

    @property
    def is_told(self) -> bool:
        return self.how is not None and self.how.source == Entry.Source.EVENT


def why_of(tag: Tag, history: Sequence[Named], entries: Sequence[Entry]) -> Why | None:
    """`entries`: what happened to the tag, the newest first. None where it points to nothing. Two queries."""
    presence = tag.presence
    if presence is None or tag.gone_at is not None:
        return None
    digest = presence.manifest.digest
    how = next((entry for entry in entries if _names(entry, digest)), None)
    now = next((named for named in history if named.is_now), None)
    before = next((named.digest for named in history if not named.is_now), "")
    seen = list(Entry.objects.filter(digest_after=digest).order_by("-pk")[:_LOOKED_AT])
    pulls = [entry for entry in seen if entry.act == Entry.Act.PULL and _is_in(entry, presence)]
    began = timezone.now() - _PULLS_OF
    return Why(
        digest=digest,
        presence=presence,
        now=now,
        how=how,
        replaced=how.digest_before or before if how else before,
        together=_together(how, tag) if how else [],
        acts=[entry for entry in entries if _is_of_berth(entry)][:_SHOWN],
        pulls=pulls[:_SHOWN],
        pullers=_pullers(entry for entry in pulls if entry.at >= began),
        is_capped=len(seen) == _LOOKED_AT and seen[-1].at >= began,
    )


def _names(entry: Entry, digest: str) -> bool:
    return entry.act in _MOVES and entry.digest_after == digest and entry.outcome == Entry.Outcome.DONE


def _is_of_berth(entry: Entry) -> bool:
    """What others did to a protected tag Berth only tells."""
    return entry.source == Entry.Source.BERTH and entry.act not in GROUPS["breaches"]


def _is_in(entry: Entry, presence: Presence) -> bool:
    repository = presence.repository
    return entry.registry_id == repository.registry_id and entry.repository == repository.name


def _together(how: Entry, tag: Tag) -> list[str]:
    """The tags of the repository that came to the same digest within minutes."""
    around = Entry.objects.filter(
        digest_after=how.digest_after, pk__gte=how.pk - _AROUND, pk__lte=how.pk + _AROUND
    ).order_by("pk")
    found = around.exclude(act=Entry.Act.PULL)[:_MOST_TOGETHER]
    return list(
        dict.fromkeys(
            entry.tag
            for entry in found
            if entry.act in _MOVES
            and entry.tag not in {"", tag.name}
            and (entry.registry_id, entry.repository) == (how.registry_id, how.repository)
            and abs(entry.at - how.at) <= _TOGETHER
        )
    )


def _pullers(pulls: Iterable[Entry]) -> list[Puller]:
    counts: dict[str, tuple[int, datetime]] = {}
    for pull in pulls:
        count, last = counts.get(pull.actor, (0, pull.at))
        counts[pull.actor] = count + pull.count, max(last, pull.at)
    found = (Puller(actor, count, last) for actor, (count, last) in counts.items())
    return sorted(found, key=lambda puller: -puller.count)[:_SHOWN]
