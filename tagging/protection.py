"""Which tags are protected: neither deleted nor moved through Berth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext_noop

from catalog.models import Repository
from registries.patterns import matches
from tagging.models import ProtectionRule

_PROTECTED: Final = gettext_noop("it is protected by the rule %(rule)s")
SENTENCES: Final = (_PROTECTED,)


class RuleBook:
    """Some rules, and what they say of a tag."""

    def __init__(self, rules: Iterable[ProtectionRule]) -> None:
        self._rules = list(rules)

    def rule_for(self, repository: str, tag: str) -> ProtectionRule | None:
        """The first rule that protects it."""
        return next((r for r in self._rules if matches(r.repositories, repository) and matches(r.tags, tag)), None)

    def reasons(self, repository: str, tags: Iterable[str]) -> dict[str, str]:
        """Those of `tags` that are protected, each with a sentence that names the rule."""
        mine = RuleBook(rule for rule in self._rules if matches(rule.repositories, repository))
        if not mine._rules:
            return {}
        rules = ((tag, mine.rule_for(repository, tag)) for tag in tags)
        return {tag: _PROTECTED % {"rule": rule} for tag, rule in rules if rule is not None}


def protected_among(repository: Repository, tags: Iterable[str]) -> dict[str, str]:
    """Those of `tags` that are protected, each with a sentence that names the rule.

    What cannot be decided raises, and nobody goes on: failing to decide means no.
    """
    return RuleBook(ProtectionRule.objects.of(repository.registry)).reasons(repository.name, tags)
