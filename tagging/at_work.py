"""What other plans have set out to do in a repository and have not ended: whoever comes second lets them end it."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.utils.translation import gettext_noop

from catalog.rows import select
from tagging.models import Plan, PlanItem

AT_WORK: Final = gettext_noop("another plan is at work on it: try again when that is over")
SENTENCES: Final = (AT_WORK,)
_BEGUN: Final = "state = 'begun'"


class Begun(NamedTuple):
    """An item that is `begun`."""

    plan_id: int
    step: str
    tag: str
    digest: str
    target: str

    @property
    def puts(self) -> bool:
        return self.step == PlanItem.Step.PUT_TAG

    def is_in_the_way_of(self, tag: str, target: str) -> bool:
        """Whether `tag` cannot be pointed to `target` meanwhile."""
        return self.tag == tag or (self.step == PlanItem.Step.DELETE_MANIFEST and self.digest == target)


def begun_by_others(plan: Plan, repository_id: int) -> list[Begun]:
    """Asked in the transaction that begins items of `plan` and holds the repository: of two one sees the other."""
    rows = select(PlanItem, Begun._fields, "repository_id", [repository_id], _BEGUN)
    return [begun for begun in map(Begun._make, rows) if begun.plan_id != plan.pk]
