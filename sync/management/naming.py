"""The rule that somebody names at a terminal."""

from __future__ import annotations

from difflib import get_close_matches

from django.core.management.base import CommandError

from sync.models import Rule


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
