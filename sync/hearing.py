"""Rules that are due when something was pushed to their source, which is a registry of ours and tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from django.db.models import Max

from audit.models import Entry
from jobs.schedule import When
from registries.patterns import matches
from sync.models import Rule
from sync.terms import InvalidTerms, Terms

# After which a tag of a repository points to something else than before.
_ACTS: Final = (
    *(Entry.Act.PUSH, Entry.Act.MOVE, Entry.Act.CHANGE, Entry.Act.RETAG, Entry.Act.COPY, Entry.Act.RENAME),
    *(Entry.Act.ROLL_BACK, Entry.Act.REVERT, Entry.Act.RESTORE, Entry.Act.SYNC, Entry.Act.DELETE_TAG),
)
_MOST: Final = 10_000  # entries that are looked at together: more of them are reason enough


class Heard(NamedTuple):
    """What there is to look at for a rule: `top` is the highest entry; `is_due`: one that is settled concerns it."""

    rule: Rule
    top: int
    is_due: bool

    def note(self) -> bool:
        """In the caller's transaction; False where somebody else has noted it."""
        as_it_was = Rule.objects.filter(pk=self.rule.pk, heard=self.rule.heard, heard_next=self.rule.heard_next)
        return bool(as_it_was.update(heard=max(self.rule.heard, self.rule.heard_next), heard_next=self.top))


def hear() -> Iterator[Heard]:
    """What the audit has said that is new to the rules which wait for it; a look later than it was said."""
    for rule in Rule.objects.filter(is_on=True, terms__schedule__when=When.EVENT.value).select_related("source"):
        entries = Entry.objects.filter(registry_id=rule.source_id, pk__gt=rule.heard)
        top = entries.aggregate(top=Max("pk"))["top"]
        if top is None:
            continue
        told = entries.filter(pk__lte=rule.heard_next, act__in=_ACTS, outcome=Entry.Outcome.DONE).order_by("pk")
        names = set(told.values_list("repository", flat=True)[:_MOST])
        yield Heard(rule, top, _concerns(rule, names))


def _concerns(rule: Rule, names: set[str]) -> bool:
    try:
        patterns = Terms.read(rule.terms).repositories
    except InvalidTerms:
        return False
    return any(matches(pattern, name) for pattern in patterns for name in names)
