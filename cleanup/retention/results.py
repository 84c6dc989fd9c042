"""What a run has planned, and what it came to, for those who show it: reasons as sentences, and pages of what stays."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from cleanup.models import Policy, RunRepository, RunTag
from cleanup.retention.in_words import in_general, in_words, why_doomed
from cleanup.retention.reasons import Reason, Why
from cleanup.retention.terms import InvalidTerms, Rule

_AFTER, _BEFORE = "a.", "b."
_LONGEST: Final = 130  # of a token: a tag has 128 letters


class Kept(NamedTuple):
    """A tag that stays, with why: a sentence in English."""

    tag: str
    why: str
    sentence: str


@dataclass(frozen=True, slots=True)
class KeptPage:
    """Some of what stays in a repository, by name; `previous` and `next` are tokens, as a keyset page has them."""

    rows: list[Kept]
    count: int
    previous: str | None = None
    next: str | None = None
    count_is_capped: bool = False

    @property
    def is_whole(self) -> bool:
        return not self.previous and not self.next


def rules_of(registry: int) -> dict[str, Sequence[Rule]]:
    """By the names of the registry's policies, as they are now; without those that cannot be read."""
    found: dict[str, Sequence[Rule]] = {}
    for policy in Policy.objects.filter(registry=registry):
        try:
            found[policy.name] = policy.read().rules
        except InvalidTerms:
            continue
    return found


def sentence_of(tag: RunTag, rules: Mapping[str, Sequence[Rule]]) -> str:
    """Why a doomed tag of a run goes; what became of it, where that says more."""
    return tag.note or why_doomed(tag.rule, rules.get(tag.place.policy, ()))


def reasons_of(place: RunRepository, rules: Mapping[str, Sequence[Rule]]) -> list[tuple[str, list[str]]]:
    """Why tags stay in general, with these; that of most tags first. Nothing where it was forgotten."""
    found: dict[str, list[str]] = {}
    for reason, tags in _groups(place):
        found.setdefault(in_general(reason, rules.get(place.policy, ())), []).extend(tags)
    return sorted(found.items(), key=lambda group: -len(group[1]))


def kept_page(place: RunRepository, rules: Mapping[str, Sequence[Rule]], token: str | None, size: int) -> KeptPage:
    """By name, beside the tag of `token`; one that is none leads to the first page."""
    own = rules.get(place.policy, ())
    rows = sorted(Kept(tag, reason.why, in_words(reason, own)) for reason, tags in _groups(place) for tag in tags)
    begin = _begin([row.tag for row in rows], token or "", size)
    shown = rows[begin : begin + size]
    return KeptPage(
        shown,
        len(rows),
        previous=_BEFORE + shown[0].tag if begin and shown else None,
        next=_AFTER + shown[-1].tag if begin + size < len(rows) else None,
    )


def is_token(text: str) -> bool:
    return text[:2] in {_AFTER, _BEFORE} and len(text) <= _LONGEST


def _groups(place: RunRepository) -> list[tuple[Reason, list[str]]]:
    return [(Reason(Why(said["why"]), said["detail"], said["rule"]), said["tags"]) for said in place.reasons]


def _begin(names: Sequence[str], token: str, size: int) -> int:
    if not is_token(token):
        return 0
    if token.startswith(_AFTER):
        begin = bisect_right(names, token[2:])
        return begin if begin < len(names) else 0
    return max(0, bisect_left(names, token[2:]) - size)


def with_sentences(tags: Iterable[RunTag], rules: Mapping[str, Sequence[Rule]]) -> list[tuple[RunTag, str]]:
    return [(tag, sentence_of(tag, rules)) for tag in tags]
