"""A policy in plain words: which tags each of its rules speaks of, and what stays of them."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.utils.translation import gettext, gettext_lazy, ngettext

from cleanup.retention.patterns import EXCLUDES
from cleanup.retention.terms import Aliases, Line, Rule, Terms
from web.sync.words import Fact, schedule

_NAMED: Final = 6  # patterns in one sentence
_OF_LINES: Final = {
    Line.ALL: gettext_lazy("of all versions"),
    Line.MAJOR: gettext_lazy("of each major version"),
    Line.MINOR: gettext_lazy("of each minor version"),
}


class RuleWords(NamedTuple):
    """`tags` are patterns, as somebody typed them; `but` are those that take out again; `keeps` what stays."""

    tags: tuple[str, ...]
    but: tuple[str, ...]
    keeps: tuple[str, ...]

    @property
    def unseen(self) -> int:
        return max(0, len(self.tags) - _NAMED) + max(0, len(self.but) - _NAMED)

    @property
    def some_tags(self) -> tuple[str, ...]:
        return self.tags[:_NAMED]

    @property
    def some_but(self) -> tuple[str, ...]:
        return self.but[:_NAMED]


def rule_words(rule: Rule) -> RuleWords:
    """Without a condition nothing stays by it."""
    tags = tuple(text for text in rule.tags if not text.startswith(EXCLUDES))
    but = tuple(text.removeprefix(EXCLUDES) for text in rule.tags if text.startswith(EXCLUDES))
    return RuleWords(tags, but, tuple(_keeps(rule)))


def facts(terms: Terms) -> list[Fact]:
    """What it says beside its rules."""
    aliases = (
        gettext("They stay too, and numbers count images.")
        if terms.aliases is Aliases.KEPT
        else gettext("Each is judged for itself, and numbers count tags.")
    )
    last = gettext("It may go too.") if terms.may_empty else gettext("It stays, whatever the rules say.")
    dates = gettext("When the image says that it was made.") if terms.uses_created else gettext("It stays.")
    return [
        Fact(gettext("When"), schedule(terms.schedule)),
        Fact(gettext("Other tags of an image that stays"), aliases),
        Fact(gettext("The last image of a repository"), last),
        Fact(gettext("A tag of which no push is known"), dates),
    ]


def _keeps(rule: Rule) -> list[str]:
    found = []
    if rule.newest is not None:
        words = ngettext("the newest, by push", "the %(n)s newest, by push", rule.newest)
        found.append(words % {"n": f"{rule.newest:,}"})
    if rule.newest_versions is not None:
        words = ngettext("the highest version %(of)s", "the %(n)s highest versions %(of)s", rule.newest_versions)
        found.append(words % {"n": f"{rule.newest_versions:,}", "of": _OF_LINES[rule.line]})
    if rule.younger_than is not None:
        words = ngettext("what was pushed within a day", "what was pushed within %(n)s days", rule.younger_than)
        found.append(words % {"n": f"{rule.younger_than:,}"})
    if rule.pulled_within is not None:
        words = ngettext("what was pulled within a day", "what was pulled within %(n)s days", rule.pulled_within)
        found.append(words % {"n": f"{rule.pulled_within:,}"})
    return found
