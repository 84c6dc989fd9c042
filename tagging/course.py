"""What the carriers of a plan share: the plan, the right to write, the registry, and how far it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import Final, Protocol

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository
from catalog.recording import presences
from catalog.recording.refreshing import refresh
from jobs.running import Lease
from oci.client import RegistryClient
from oci.errors import Denied, Refused, RegistryError, TooManyRequests, Unauthorized, Unavailable, Unsupported
from registries.models import Registry
from tagging.models import Plan, PlanItem

RETIRED: Final = gettext_noop("The registry was removed from Berth, which no longer changes anything there.")
MOVED: Final = gettext_noop("it points to another digest now: it was moved since this was planned")
UNKEPT: Final = gettext_noop("its manifest could not be kept, so it was not deleted")
REFUSES: Final = gettext_noop("The registry refuses: %(why)s.")
SENTENCES: Final = (RETIRED, REFUSES, MOVED, UNKEPT)
REFUSALS: Final = (Unsupported, Unauthorized, Denied)  # of what was asked, and of all that is alike
_STATE: Final = Repository.State


class BrokenOff(Exception):  # noqa: N818  it says, for people, why the rest was not done
    """The registry refuses what the plan is made of: to go on would only fail again."""


class Carrier(Protocol):
    """Carries out the plans of some acts."""

    def run(self, *, only_begun: bool) -> None:
        """Do what is open; `only_begun`: only what somebody had set out to do. Raises BrokenOff and RegistryError."""


def may_have_been_heard(fault: RegistryError) -> bool:
    """Whether a write that ended so may have been done, or be done yet: its answer was lost, here or before us.

    So may one whose second try was refused: the first may have been done, and its answer lost.
    """
    return not isinstance(fault, Refused) or isinstance(fault, Unavailable | TooManyRequests) or fault.tried > 1


class Course:
    def __init__(
        self, plan: Plan, lease: Lease, client: RegistryClient, *, within: tuple[int, int] | None = None
    ) -> None:
        """`within`: of how many items in all, of several plans, and how many of them were open before this one."""
        self.plan, self.lease, self.client = plan, lease, client
        self._total, self._open = within or (plan.items.count(), plan.items.open().count())
        self._were_settled: dict[int, bool] = {}  # repositories, when they were first looked at

    def by_repository(self, items: Iterable[PlanItem]) -> Iterator[tuple[int, list[PlanItem]]]:
        for repository, group in groupby(items, key=lambda item: item.repository_id):
            yield repository, list(group)

    def repository(self, pk: int) -> Repository:
        """As its row is now: a scan may write in it too."""
        row = Repository.objects.select_related("registry").get(pk=pk)
        self._were_settled.setdefault(pk, row.is_settled)
        return row

    def tell(self, settled: int = 0, phase: str = "carrying-out") -> None:
        """Raises Stopped when a person asked for that, LeaseLost, and BrokenOff when the registry has retired."""
        self._open -= settled
        self.lease.tell(phase=phase, tags=[self._total - self._open, self._total])
        if not Registry.objects.active().filter(pk=self.plan.registry_id).exists():
            raise BrokenOff(RETIRED)

    def tidy(self, repository_ids: Collection[int]) -> None:
        """Work out anew what lists say of these repositories, now that tags came or went in them.

        That leaves them settled, unless somebody else had begun to write in them before and not come to the end.
        """
        for pk in repository_ids:
            row = self.repository(pk)
            presences.leave(self.lease, row, timezone.now())
            row = self.repository(pk)
            state = row.state
            if state in {_STATE.WHOLE, _STATE.EMPTY}:
                state = _STATE.WHOLE if row.tag_count else _STATE.EMPTY
            settled = {"is_settled": True} if self._were_settled[pk] else {}
            refresh(self.lease, pk, state=state, **settled)
