"""What an import would add, as its page shows it: the first of each kind, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sync.importing.sentences import remarked
from sync.importing.taking_over import Coming, TakingOver
from sync.importing.words import in_words

_MOST: Final = 100  # of each kind


@dataclass(frozen=True, slots=True)
class RuleRow:
    coming: Coming
    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class RemarkRow:
    line: int
    where: str
    sentence: str
    detail: str
    leaves_out: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """`more_rules` and `more_remarks`: how many are not shown."""

    coming: TakingOver
    rules: Sequence[RuleRow]
    remarks: Sequence[RemarkRow]
    more_rules: int
    more_remarks: int

    @classmethod
    def of(cls, coming: TakingOver) -> Preview:
        first = sorted(coming.remarks, key=lambda remark: (not remark.leaves_out, remark.line))[:_MOST]
        return cls(
            coming,
            [RuleRow(rule, in_words(rule.details)) for rule in coming.rules[:_MOST]],
            [RemarkRow(one.line, one.where, remarked(one), one.detail, one.leaves_out) for one in first],
            max(0, len(coming.rules) - _MOST),
            max(0, len(coming.remarks) - _MOST),
        )
