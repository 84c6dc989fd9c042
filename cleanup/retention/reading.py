"""What the catalog knows of the tags of a repository, as judging takes it; no registry is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import F

from catalog.models import IndexEntry, Manifest, Presence, Repository, Tag, TagSpan
from catalog.models.repositories import LONG_AGO
from catalog.policy import MAX_DEPTH, is_attached
from catalog.recording.chunks import by_number
from catalog.rows import select
from cleanup.models import Policy, RunTag
from cleanup.pins import pinned_among
from cleanup.retention.judging import Candidate, Known, judge
from cleanup.retention.patterns import chosen
from cleanup.retention.reasons import Verdict
from cleanup.retention.terms import InvalidTerms, Terms
from cleanup.retention.times import Dated, Times
from registries.models import Registry
from tagging.models import PlanItem, ProtectionRule
from tagging.protection import RuleBook

_JUST_NOW: Final = timedelta(minutes=10)  # so long after somebody set out to write a tag it is left alone
_TOGETHER: Final = 500


class _Row(NamedTuple):
    tag: str
    problem: str
    seen: datetime
    link_ns: int | None
    acted_at: datetime | None
    manifest_id: int | None
    digest: str | None
    kind: str | None
    dated: datetime | None
    dated_by: str | None
    pulled: datetime | None
    created: datetime | None

    @property
    def is_readable(self) -> bool:
        return bool(self.digest) and not self.problem and self.kind != Manifest.Kind.MALFORMED


_COLUMNS: Final = (
    *("name", "problem", "moved_at", "link_ns", "acted_at", "presence__manifest_id", "presence__manifest__digest"),
    *("presence__manifest__kind", "presence__dated", "presence__dated_by", "presence__pulled"),
    "presence__manifest__created",
)


class Decides(NamedTuple):
    """The policy that decides on a repository."""

    policy: Policy
    terms: Terms


class Book:
    """The policies of a registry and what is known beside its tags, at one moment. Raises InvalidTerms.

    `among`: keys of policies that it is about, which decide as if they were on; none for all that are. `times`, where
    somebody has them of a moment before: a registry has thousands of scans.
    """

    def __init__(
        self, registry: Registry, now: datetime, among: Collection[int] = (), times: Times | None = None
    ) -> None:
        self._registry, self._now, self._among = registry, now, frozenset(among)
        policies = Policy.objects.filter(registry=registry).in_order()
        self._policies = [Decides(row, _read(row)) for row in policies if row.is_on or row.pk in self._among]
        self._times = times or Times(registry, now)
        self._protection = RuleBook(ProtectionRule.objects.of(registry))

    def decides(self, repository: str) -> Decides | None:
        """The first whose patterns fit; None where none does, or one that this is not about."""
        first = next((one for one in self._policies if chosen(one.terms.repositories, repository)), None)
        return first if first and (not self._among or first.policy.pk in self._among) else None

    def verdicts(self, repository: Repository, terms: Terms) -> list[Verdict]:
        """Of all its tags, in no order."""
        tags = self.candidates(repository, terms)
        subjects = {tag.subject for tag in tags if tag.subject}
        known = Known(self._now, self._times.pulls_since, _went(repository, subjects))
        return judge(terms, tags, known)

    def candidates(self, repository: Repository, terms: Terms) -> list[Candidate]:
        live = Tag.objects.live().filter(repository=repository)
        rows = [_Row._make(row) for row in live.values_list(*_COLUMNS).iterator(10_000)]
        held = _Held(repository, {row.manifest_id for row in rows if row.kind == Manifest.Kind.INDEX})
        subjects = {row.tag: _subject(row.tag) for row in rows if is_attached(row.tag)}
        digests = {row.digest for row in rows if row.digest} | held.digests | set(subjects.values())
        pinned = pinned_among(self._registry, digests)
        protected = self._protection.reasons(repository.name, [row.tag for row in rows])
        busy = {tag for (tag,) in select(PlanItem, ("tag",), "repository_id", [repository.pk], "state = 'begun'")}
        lately, later = self._now - _JUST_NOW, _seen_later(repository)
        return [
            Candidate(
                name=row.tag,
                digest=row.digest if row.is_readable and row.digest else "",
                pushed=self._times.pushed(
                    Dated(later.get(row.tag, row.seen), row.link_ns, row.dated, row.dated_by or "", row.created),
                    repository,
                    uses_created=terms.uses_created,
                ),
                pulled=_last([row.pulled, *held.pulled(row.manifest_id)]),
                subject=subjects.get(row.tag, ""),
                holds=held.by(row.manifest_id),
                protected=protected.get(row.tag, ""),
                pinned=_first(pinned, (row.digest or "", subjects.get(row.tag, ""), *held.by(row.manifest_id))),
                is_busy=row.tag in busy or (row.acted_at is not None and row.acted_at > lately),
            )
            for row in rows
        ]


def _read(policy: Policy) -> Terms:
    """One that cannot be read might have spoken for others: without it nothing is decided. Raises InvalidTerms."""
    try:
        return policy.read()
    except InvalidTerms as error:
        raise InvalidTerms(f"{policy.name}, {error.field}", error.sentence) from error


class _Held:
    """What indexes of a repository list, at any depth."""

    def __init__(self, repository: Repository, indexes: Iterable[int | None]) -> None:
        self._entries: dict[int, list[tuple[int | None, str]]] = {}
        level = {index for index in indexes if index is not None}
        for _ in range(MAX_DEPTH):
            for index, child, digest in select(IndexEntry, ("index_id", "child_id", "digest"), "index_id", level):
                self._entries.setdefault(index, []).append((child, digest))
            found = {child for index in level for child, _ in self._entries.get(index, ()) if child is not None}
            level = {child for child in found if child not in self._entries}
        self._known: dict[int, list[tuple[int | None, str]]] = {}
        children = {child for entries in self._entries.values() for child, _ in entries if child is not None}
        self._pulled: dict[int, datetime] = {}
        for some in by_number(children, _TOGETHER):
            rows = Presence.objects.filter(repository=repository, manifest__in=some, pulled__gt=LONG_AGO)
            self._pulled |= dict(rows.values_list("manifest_id", "pulled"))

    @property
    def digests(self) -> set[str]:
        return {digest for entries in self._entries.values() for _, digest in entries}

    def by(self, manifest: int | None) -> tuple[str, ...]:
        return tuple(dict.fromkeys(digest for _, digest in self._below(manifest)))

    def pulled(self, manifest: int | None) -> list[datetime]:
        return [self._pulled[child] for child, _ in self._below(manifest) if child in self._pulled]

    def _below(self, manifest: int | None) -> list[tuple[int | None, str]]:
        if manifest is None or manifest not in self._entries:
            return []
        if manifest not in self._known:
            found: dict[tuple[int | None, str], None] = {}
            level: list[Any] = [manifest]
            for _ in range(MAX_DEPTH):
                below = [entry for index in level for entry in self._entries.get(index, ()) if entry not in found]
                found |= dict.fromkeys(below)
                level = [child for child, _ in below if child is not None]
            self._known[manifest] = list(found)
        return self._known[manifest]


def _seen_later(repository: Repository) -> dict[str, datetime]:
    """Tags that could not be read when they were last seen to move, with when each was first seen where it points."""
    spans = TagSpan.objects.filter(repository=repository, ended=None, began__gt=F("tag__moved_at"))
    return dict(spans.values_list("tag__name", "began"))


def _went(repository: Repository, subjects: Collection[str]) -> frozenset[str]:
    """Those of `subjects` that lost a tag by retention, or that an index lists which did."""
    above = _above(subjects)
    went: set[str] = set()
    for some in by_number({digest for digests in above.values() for digest in digests}, _TOGETHER):
        tags = RunTag.objects.filter(place__repository=repository, digest__in=some, state=RunTag.State.DONE)
        went |= set(tags.values_list("digest", flat=True))
    return frozenset(subject for subject, digests in above.items() if not went.isdisjoint(digests))


def _above(subjects: Collection[str]) -> dict[str, set[str]]:
    """Each with the indexes that list it, at any depth, and itself."""
    above = {subject: {subject} for subject in subjects}
    level = {pk: {digest} for pk, digest in select(Manifest, ("id", "digest"), "digest", subjects)}
    for _ in range(MAX_DEPTH):
        higher: dict[int, set[str]] = {}
        for index, child in select(IndexEntry, ("index_id", "child_id"), "child_id", level):
            higher.setdefault(index, set()).update(level[child])
        for pk, digest in select(Manifest, ("id", "digest"), "id", higher):
            for subject in higher[pk]:
                above[subject].add(digest)
        level = higher
    return above


def _subject(tag: str) -> str:
    """The digest that a tag like `sha256-HEX.sig` is made of."""
    return tag.partition(".")[0].replace("-", ":", 1)


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None and moment > LONG_AGO), default=None)


def _first(sentences: dict[str, str], digests: Iterable[str]) -> str:
    return next((sentences[digest] for digest in digests if digest in sentences), "") if sentences else ""
