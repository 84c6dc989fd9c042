"""A policy as its list and its page show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext

from cleanup.models import Policy
from cleanup.models.policies import PolicyQuerySet
from cleanup.retention.terms import InvalidTerms, Terms
from registries.models import for_asking
from web.cleanup.policy_words import RuleWords, facts, rule_words
from web.sync.words import Fact, schedule

_NAMED: Final = 4  # repositories of a row


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """`terms` are None where the row is of a newer Berth, or was changed by hand."""

    policy: Policy
    terms: Terms | None

    @classmethod
    def of(cls, policy: Policy) -> PolicyRow:
        try:
            return cls(policy, policy.read())
        except InvalidTerms:
            return cls(policy, None)

    @property
    def repositories(self) -> tuple[str, ...]:
        return self.terms.repositories[:_NAMED] if self.terms else ()

    @property
    def more(self) -> int:
        return max(0, len(self.terms.repositories) - _NAMED) if self.terms else 0

    @property
    def schedule(self) -> str:
        return schedule(self.terms.schedule) if self.terms else gettext("It cannot be read: a newer Berth wrote it.")

    @property
    def rules(self) -> list[RuleWords]:
        return [rule_words(rule) for rule in self.terms.rules] if self.terms else []

    @property
    def facts(self) -> list[Fact]:
        return facts(self.terms) if self.terms else []


def with_registry(policies: PolicyQuerySet) -> PolicyQuerySet:
    return policies.select_related("registry").defer(*for_asking("registry"))
