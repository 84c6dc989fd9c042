"""The rows of the activity: each entry as a sentence, with what is shown beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils.safestring import SafeString

from audit.models import Entry
from tagging.models import TrashEntry
from web.changed_fields import fields_of_policy, fields_of_registry, fields_of_rule
from web.entry_sentences import OF_POLICIES, OF_RULES, address_of, sentence_of

_NEAR: Final = timedelta(minutes=1)  # clocks differ, and a delivery takes its time
_BREACHES: Final = frozenset({Entry.Act.BREACH_MOVE, Entry.Act.BREACH_DELETE})


@dataclass(frozen=True, slots=True)
class EntryRow:
    entry: Entry
    put_back: int | None = None  # the entry of the trash that undoes a breach

    @property
    def sentence(self) -> SafeString:
        return sentence_of(self.entry)

    @property
    def times(self) -> int:
        """How many pulls it stands for, where it is more than one."""
        return self.entry.count if self.entry.act == Entry.Act.PULL and self.entry.count > 1 else 0

    @property
    def is_breach(self) -> bool:
        return self.entry.act in _BREACHES

    @property
    def is_told(self) -> bool:
        return self.entry.source == Entry.Source.EVENT

    @property
    def is_found(self) -> bool:
        return self.entry.source == Entry.Source.SCAN

    @property
    def claims_other_time(self) -> bool:
        """The registry dates it otherwise than its telling."""
        claimed = self.entry.claimed_at
        return claimed is not None and abs(self.entry.at - claimed) > _NEAR

    @property
    def detail(self) -> str:
        """Where no chip says it, and it is not the sentence itself; which fields were changed, where that is it."""
        if self.entry.act == Entry.Act.RULE_CHANGE:
            return fields_of_rule(self.entry.detail)
        if self.entry.act == Entry.Act.POLICY_CHANGE:
            return fields_of_policy(self.entry.detail)
        if self.entry.act == Entry.Act.REGISTRY_CHANGE:
            return fields_of_registry(self.entry.detail)
        is_said = self.is_breach or self.entry.outcome != Entry.Outcome.DONE or not self.entry.repository
        return self.entry.detail if self.entry.act == Entry.Act.GAP or not is_said else ""

    @property
    def why(self) -> str:
        """Where the sentence does not say it."""
        return "" if self.entry.act in OF_RULES | OF_POLICIES else self.entry.why

    @property
    def before(self) -> str:
        return self._manifest(self.entry.digest_before)

    @property
    def after(self) -> str:
        return self._manifest(self.entry.digest_after)

    def _manifest(self, digest: str) -> str:
        return address_of("manifest", self.entry.registry, self.entry.repository, digest) if digest else ""


def rows_of(entries: Sequence[Entry]) -> list[EntryRow]:
    kept = _kept(entries)
    return [EntryRow(entry, kept.get(entry.key)) for entry in entries]


def _kept(entries: Sequence[Entry]) -> dict[str, int]:
    """By the key of a breach, what can be put back; one query, where there are any."""
    breaches: dict[tuple[Any, ...], str] = {
        (e.registry_id, e.repository, e.tag, e.digest_before, e.at): e.key
        for e in entries
        if e.key.startswith("breach:")
    }
    if not breaches:
        return {}
    rows = TrashEntry.objects.listed().filter(how=TrashEntry.How.OUTSIDE, deleted_at__in={at for *_, at in breaches})
    places = rows.values_list("registry", "repository__name", "tag", "digest", "deleted_at", "pk")
    return {breaches[place]: pk for *rest, pk in places if (place := tuple(rest)) in breaches}
