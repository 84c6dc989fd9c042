"""Reasons as sentences: why a tag stays, or goes. They are English, and pages say them in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.translation import gettext_noop

from cleanup.retention.reasons import Reason, Why
from cleanup.retention.terms import Rule

_SENTENCES: Final[Mapping[Why, str]] = {
    Why.UNREADABLE: gettext_noop("it cannot be read"),
    Why.BUSY: gettext_noop("it is being written just now"),
    Why.NEWEST: gettext_noop("among the newest %(n)s of %(tags)s"),
    Why.MAYBE_NEWEST: gettext_noop(
        "it may be among the newest %(n)s of %(tags)s: when it was pushed is not known well enough"
    ),
    Why.NEWEST_VERSION: gettext_noop("among the newest %(n)s versions of %(detail)s, by the rule on %(tags)s"),
    Why.FLOAT: gettext_noop("it names the line %(detail)s, of which a version is kept"),
    Why.NO_VERSION: gettext_noop("it is no version, so the rule on %(tags)s cannot tell"),
    Why.YOUNGER: gettext_noop("pushed within %(n)s days"),
    Why.MAYBE_YOUNGER: gettext_noop("it may have been pushed within %(n)s days: nobody knows"),
    Why.PULLED: gettext_noop("pulled within %(n)s days"),
    Why.MAYBE_PULLED: gettext_noop(
        "it may have been pulled within %(n)s days: the registry has not told of pulls for as long as that"
    ),
    Why.UNSPOKEN: gettext_noop("no rule speaks of it"),
    Why.ALIAS: gettext_noop("alias of %(detail)s"),
    Why.LAST: gettext_noop("the last image of the repository"),
    Why.ATTACHED: gettext_noop("attached to %(detail)s, which stays"),
    Why.ALONE: gettext_noop("attached to %(detail)s, which no tag reaches"),
    Why.RULE: gettext_noop("no condition of the rule on %(tags)s keeps it"),
    Why.FOLLOWS: gettext_noop("attached to %(detail)s, which goes"),
}
_IN_GENERAL: Final[Mapping[Why, str]] = {
    Why.FLOAT: gettext_noop("it names a line of versions, of which one is kept"),
    Why.ALIAS: gettext_noop("alias of a tag that stays"),
    Why.ATTACHED: gettext_noop("attached to an image that stays"),
    Why.ALONE: gettext_noop("attached to what no tag reaches"),
    Why.FOLLOWS: gettext_noop("what it is attached to goes"),
}
_ANY_VERSION: Final = gettext_noop("among the newest %(n)s versions of %(tags)s")
_ONCE: Final = gettext_noop("among the newest versions")
_KEEPS_NONE: Final = gettext_noop("the rule on %(tags)s keeps none")
_NO_RULE: Final = gettext_noop("what its rule spoke of")
_CHANGED: Final = gettext_noop("by a rule that has changed since")
SENTENCES: Final = (
    *(*_SENTENCES.values(), *_IN_GENERAL.values()),
    *(_ANY_VERSION, _ONCE, _KEEPS_NONE, _NO_RULE, _CHANGED),
)

_SHOWN: Final = 3  # patterns of a rule


def in_words(reason: Reason, rules: Sequence[Rule]) -> str:
    """`rules` are those of the policy that decided."""
    if reason.why in {Why.PROTECTED, Why.PINNED}:
        return reason.detail
    rule = rules[reason.rule] if 0 <= reason.rule < len(rules) else None
    sentence, number = _SENTENCES[reason.why], reason.detail
    if reason.why is Why.NEWEST_VERSION:
        if rule is None or rule.newest_versions is None:
            return _ONCE
        sentence, number = sentence if reason.detail else _ANY_VERSION, str(rule.newest_versions)
    if reason.why is Why.RULE:
        if rule is None:
            return _CHANGED
        sentence = _KEEPS_NONE if _keeps_none(rule) else sentence
    return sentence % {"detail": reason.detail, "n": number, "tags": _tags(rule)}


def in_general(reason: Reason, rules: Sequence[Rule]) -> str:
    """The same, of all tags that have a reason like this one, whatever line or image each of them is of."""
    if (sentence := _IN_GENERAL.get(reason.why)) is not None:
        return sentence
    return in_words(reason._replace(detail="") if reason.why is Why.NEWEST_VERSION else reason, rules)


def why_doomed(rule: int, rules: Sequence[Rule]) -> str:
    """The same, of a tag that is doomed, by what its row says."""
    return in_words(Reason(Why.RULE, rule=rule), rules) if rule >= 0 else _IN_GENERAL[Why.FOLLOWS]


def _tags(rule: Rule | None) -> str:
    if rule is None:
        return _NO_RULE
    more = ", …" if len(rule.tags) > _SHOWN else ""
    return ", ".join(rule.tags[:_SHOWN]) + more


def _keeps_none(rule: Rule) -> bool:
    conditions = (rule.newest, rule.newest_versions, rule.younger_than, rule.pulled_within)
    return all(condition is None for condition in conditions)
