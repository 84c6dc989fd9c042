"""The rule that somebody names at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from django.core.management.base import CommandError

from sync.in_words import UNREADABLE
from sync.models import Rule
from sync.rule_documents import place_of
from sync.rules import RuleNotSaved
from sync.terms import InvalidTerms


def rule_called(name: str) -> Rule:
    """Raises CommandError, which says what there is instead."""
    rule = Rule.objects.select_related("source", "target").filter(name=name).first()
    if rule is not None:
        return rule
    names = list(Rule.objects.by_name().values_list("name", flat=True))
    near = get_close_matches(name, names, cutoff=0.5)
    if near:
        cure = f"did you mean {' or '.join(near)}?"
    else:
        cure = f"there are: {', '.join(names)}" if names else "there is none yet: ./run manage syncrule add < rule.json"
    raise CommandError(f"no rule is called {name}; {cure}", returncode=2)


@contextmanager
def reading(rule: Rule) -> Iterator[Rule]:
    """Raises CommandError where it cannot be."""
    try:
        yield rule
    except InvalidTerms as error:
        raise CommandError(f"{rule.name} {UNREADABLE}", returncode=2) from error
    except RuleNotSaved as error:
        raise CommandError(f"{place_of(error.field)}: {error}", returncode=2) from error
