"""Rules as their list and their pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext

from registries.models import for_asking
from sync.models import Rule, Run
from sync.terms import InvalidTerms, Terms
from web.sync.run_row import RunRow, with_places
from web.sync.words import Fact, facts, schedule

_NAMED: Final = 2  # repositories in a row


@dataclass(frozen=True, slots=True)
class RuleRow:
    """`terms` are None where the row is of a newer Berth."""

    rule: Rule
    terms: Terms | None
    last: RunRow | None = None

    @property
    def repositories(self) -> list[str]:
        return list(self.terms.repositories[:_NAMED]) if self.terms else []

    @property
    def more(self) -> int:
        return max(0, len(self.terms.repositories) - _NAMED) if self.terms else 0

    @property
    def schedule(self) -> str:
        return schedule(self.terms.schedule) if self.terms else gettext("It cannot be read: a newer Berth wrote it.")

    @property
    def facts(self) -> list[Fact]:
        return facts(self.terms) if self.terms else []


def rule_row(rule: Rule, last: Run | None = None) -> RuleRow:
    try:
        terms = Terms.read(rule.terms)
    except InvalidTerms:
        terms = None
    return RuleRow(rule, terms, RunRow(last) if last else None)


def with_places_and_last(rules: QuerySet[Rule]) -> QuerySet[Rule]:
    """Each with its registries, and `last_run`: the key of its newest run."""
    newest = Run.objects.filter(rule=OuterRef("pk")).newest_first().values("pk")[:1]
    known = rules.select_related("source", "target").defer(*for_asking("source"), *for_asking("target"))
    return known.annotate(last_run=Subquery(newest))


def rows_of(rules: Iterable[Rule]) -> list[RuleRow]:
    """Of rules as `with_places_and_last` has them: one query."""
    rules = list(rules)
    keys = [key for rule in rules if (key := rule.last_run)]  # type: ignore[attr-defined]  # annotated
    runs = with_places(Run.objects.all()).in_bulk(keys)
    return [rule_row(rule, runs.get(rule.last_run)) for rule in rules]  # type: ignore[attr-defined]
