"""Which tags of a repository are kept and which are doomed, by what is known of them, and all that speaks for each.

Pure: values in, a verdict for each tag out. What is not known keeps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from catalog.policy import lead_of
from catalog.versions import tag_key
from cleanup.retention.lines import Standing, places
from cleanup.retention.patterns import chosen
from cleanup.retention.reasons import Reason, Verdict, Why
from cleanup.retention.terms import Aliases, Rule, Terms

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_STANDINGS: Final = {
    Standing.NEWEST: Why.NEWEST_VERSION,
    Standing.FLOAT: Why.FLOAT,
    Standing.NO_VERSION: Why.NO_VERSION,
}


class Pushed(NamedTuple):
    """Between which moments a tag was pushed last; None where that is not known."""

    earliest: datetime | None = None
    latest: datetime | None = None


class Candidate(NamedTuple):
    """A tag and what is known of it.

    `digest`: "" where its manifest cannot be read. `pulled`: when it or what it lists was pulled last, None where
    nobody told. `subject`: the digest that it is attached to by its name. `holds`: the digests that its index lists,
    at any depth. `protected` and `pinned` are sentences; `is_busy`: somebody is writing it just now.
    """

    name: str
    digest: str
    pushed: Pushed = Pushed()
    pulled: datetime | None = None
    subject: str = ""
    holds: tuple[str, ...] = ()
    protected: str = ""
    pinned: str = ""
    is_busy: bool = False

    @property
    def is_countable(self) -> bool:
        """One of those that others are compared with: what cannot be read is nobody's newest image."""
        return bool(self.digest) and not self.is_busy


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the tags. `pulls_since`: from when on every pull was told; None: nobody can know.

    `went`: digests that lost their last tag by retention.
    """

    now: datetime
    pulls_since: datetime | None = None
    went: frozenset[str] = frozenset()


def judge(terms: Terms, tags: Sequence[Candidate], known: Known) -> list[Verdict]:
    """One for each tag, in their order."""
    return _Judging(terms, tags, known).verdicts()


class _Judging:
    def __init__(self, terms: Terms, tags: Sequence[Candidate], known: Known) -> None:
        self._terms, self._tags, self._known = terms, tags, known
        self._reasons: dict[str, list[Reason]] = {tag.name: _own(tag) for tag in tags}
        self._spoken: dict[str, int] = {}  # of the tags that a rule speaks of, the first
        self._people = [tag for tag in tags if not tag.subject]
        self._attached = [tag for tag in tags if tag.subject]
        self._by_digest: defaultdict[str, list[Candidate]] = defaultdict(list)
        for tag in tags:
            if tag.digest:
                self._by_digest[tag.digest].append(tag)

    def verdicts(self) -> list[Verdict]:
        for number, rule in enumerate(self._terms.rules):
            self._hear(number, rule)
        for tag in self._people:
            if tag.name not in self._spoken:
                self._keep(tag, Reason(Why.UNSPOKEN))
        self._spread()
        if not self._terms.may_empty and (last := self._last()) is not None:
            self._keep(last, Reason(Why.LAST))
            self._spread()
        return [Verdict(tag.name, tag.digest, tuple(self._reasons[tag.name]) or self._doom(tag)) for tag in self._tags]

    def _doom(self, tag: Candidate) -> tuple[Reason, ...]:
        if tag.subject:
            return (Reason(Why.FOLLOWS, tag.subject),)
        return (Reason(Why.RULE, rule=self._spoken[tag.name]),)

    def _keep(self, tag: Candidate, reason: Reason) -> None:
        self._reasons[tag.name].append(reason)

    def _is_kept(self, tag: Candidate) -> bool:
        return bool(self._reasons[tag.name])

    # -- what a rule says -----------------------------------------------------

    def _hear(self, number: int, rule: Rule) -> None:
        matched = [tag for tag in self._people if chosen(rule.tags, tag.name)]
        for tag in matched:
            self._spoken.setdefault(tag.name, number)
        if rule.newest is not None:
            self._hear_newest(number, matched, rule.newest)
        if rule.newest_versions is not None:
            self._hear_versions(number, matched, rule)
        if rule.younger_than is not None:
            self._hear_age(number, matched, rule.younger_than)
        if rule.pulled_within is not None:
            self._hear_pulls(number, matched, rule.pulled_within)

    def _hear_newest(self, number: int, matched: Iterable[Candidate], most: int) -> None:
        """A tag goes only where so many others are certainly newer."""
        groups: defaultdict[str, list[Candidate]] = defaultdict(list)
        for tag in matched:
            if tag.is_countable:
                groups[tag.digest if self._counts_images else tag.name].append(tag)
        spans = {key: _together(tag.pushed for tag in group) for key, group in groups.items()}
        begins = sorted((span.earliest or _NEVER for span in spans.values()), reverse=True)
        # The first of the newer ones: whatever could have been pushed when it was, or later, may be among the newest.
        edge = begins[most - 1] if len(begins) >= most else _NEVER
        ends = sorted(span.latest for span in spans.values() if span.latest is not None)
        for key, span in spans.items():
            if span.latest is not None and span.latest < edge:
                continue
            as_new = len(spans) - (bisect_left(ends, span.earliest) if span.earliest else 0)
            why = Why.NEWEST if as_new <= most else Why.MAYBE_NEWEST
            for tag in groups[key]:
                self._keep(tag, Reason(why, str(most), number))

    def _hear_versions(self, number: int, matched: Iterable[Candidate], rule: Rule) -> None:
        digests = {tag.name: tag.digest for tag in matched if tag.is_countable}
        found = places(digests, rule.newest_versions or 0, rule.line, by_image=self._counts_images)
        for name, place in found.items():
            if (why := _STANDINGS.get(place.standing)) is not None:
                self._reasons[name].append(Reason(why, place.line, number))

    def _hear_age(self, number: int, matched: Iterable[Candidate], days: int) -> None:
        edge = self._ago(days)
        for tag in matched:
            earliest, latest = tag.pushed
            if latest is None or latest > edge:
                is_certain = earliest is not None and earliest > edge
                self._keep(tag, Reason(Why.YOUNGER if is_certain else Why.MAYBE_YOUNGER, str(days), number))

    def _hear_pulls(self, number: int, matched: Iterable[Candidate], days: int) -> None:
        edge, since = self._ago(days), self._known.pulls_since
        for tag in matched:
            if tag.pulled is not None and tag.pulled > edge:
                self._keep(tag, Reason(Why.PULLED, str(days), number))
            elif since is None or since > edge:
                self._keep(tag, Reason(Why.MAYBE_PULLED, str(days), number))

    @property
    def _counts_images(self) -> bool:
        return self._terms.aliases is Aliases.KEPT

    def _ago(self, days: int) -> datetime:
        return self._known.now - timedelta(days=days)

    # -- what follows from it -------------------------------------------------

    def _spread(self) -> None:
        """To aliases, and to what is attached, until nothing follows any more."""
        while self._spread_to_aliases() | self._spread_to_attached():
            pass

    def _spread_to_aliases(self) -> bool:
        if self._terms.aliases is not Aliases.KEPT:
            return False
        has_changed = False
        for group in self._by_digest.values():
            kept = [tag.name for tag in group if self._is_kept(tag)]
            if kept and len(kept) < len(group):
                has_changed, reason = True, Reason(Why.ALIAS, lead_of(kept))
                for tag in group:
                    if not self._is_kept(tag):
                        self._keep(tag, reason)
        return has_changed

    def _spread_to_attached(self) -> bool:
        live = self._reached(self._is_kept)
        dead = self._reached(lambda tag: not self._is_kept(tag)) | self._known.went
        has_changed = False
        for tag in self._attached:
            if self._is_kept(tag):
                continue
            if tag.subject in live:
                self._keep(tag, Reason(Why.ATTACHED, tag.subject))
            elif tag.subject not in dead:
                self._keep(tag, Reason(Why.ALONE, tag.subject))
            has_changed |= self._is_kept(tag)
        return has_changed

    def _reached(self, by: Callable[[Candidate], bool]) -> set[str]:
        return {digest for tag in self._tags if self._attached and by(tag) for digest in (tag.digest, *tag.holds)}

    def _last(self) -> Candidate | None:
        """The one that stays of a repository that would lose all; None where something stays that can be pulled."""
        readable = [tag for tag in self._people if tag.digest]
        if not readable or any(map(self._is_kept, readable)):
            return None
        return max(readable, key=_newness)


def _own(tag: Candidate) -> list[Reason]:
    """What keeps it whatever the rules are."""
    reasons = []
    if tag.protected:
        reasons.append(Reason(Why.PROTECTED, tag.protected))
    if tag.pinned:
        reasons.append(Reason(Why.PINNED, tag.pinned))
    if not tag.digest:
        reasons.append(Reason(Why.UNREADABLE))
    if tag.is_busy:
        reasons.append(Reason(Why.BUSY))
    return reasons


def _together(spans: Iterable[Pushed]) -> Pushed:
    """When the last of them was pushed."""
    earliest: datetime | None = None
    latest: datetime | None = _NEVER
    for span in spans:
        if span.earliest is not None and (earliest is None or span.earliest > earliest):
            earliest = span.earliest
        latest = None if latest is None or span.latest is None else max(latest, span.latest)
    return Pushed(earliest, latest)


def _newness(tag: Candidate) -> tuple[datetime, datetime, bytes]:
    earliest, latest = tag.pushed
    return latest or _NEVER, earliest or _NEVER, tag_key(tag.name)
