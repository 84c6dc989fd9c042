"""Carrying out a plan, as a job: each of its items once, whoever dies in between, and nothing else.

The items are the intents: they are `begun` in a commit of their own before the registry is asked for anything. The
outcome of each, what it changed in the catalog, and its entry in the audit are one commit after that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs.models import Job
from jobs.running import JobFailed, Lease, Stopped
from oci.client import RegistryClient
from oci.errors import RegistryError
from registries.clients import client_for
from tagging.checking import check
from tagging.copying import Copying
from tagging.course import RETIRED, BrokenOff, Carrier, Course
from tagging.deleting import Deletion
from tagging.models import Plan, PlanItem, TrashEntry
from tagging.removing import Removal
from tagging.restoring import Restoration

KIND: Final = "carry-out"
_GONE: Final = gettext_noop("The plan is gone, with its registry: nothing was changed.")
_OVER: Final = gettext_noop("It was carried out already: nothing was changed.")
_STOPPED: Final = gettext_noop("Stopped after %(done)s of %(all)s. What was done is done, the rest is as it was.")
_BROKEN_OFF: Final = gettext_noop("%(why)s Done: %(done)s of %(all)s. The rest is as it was.")
_BEGUN: Final = gettext_noop(
    "%(why)s Done: %(done)s of %(all)s. What became of %(begun)s nobody knows yet: Berth finds out, and finishes them,"
    " as soon as the registry answers. The rest is as it was."
)
_DONE: Final = gettext_noop("Done: %(done)s of %(all)s.")
_DONE_BUT: Final = gettext_noop("Done: %(done)s of %(all)s. Left alone: %(skipped)s. Failed: %(failed)s.")
SENTENCES: Final = (_GONE, _OVER, _STOPPED, _BROKEN_OFF, _BEGUN, _DONE, _DONE_BUT)

_CARRIERS: Final[Mapping[str, Callable[[Course], Carrier]]] = {
    Plan.Act.DELETE_TAGS: Deletion,
    Plan.Act.DELETE_IMAGES: Deletion,
    Plan.Act.DELETE_REPOSITORY: Deletion,
    Plan.Act.REMOVE_REPOSITORY: Removal,
    Plan.Act.RESTORE: Restoration,
    Plan.Act.COPY: Copying,
}

_CHECKED: Final = 20  # entries of the trash that are looked at right after they came there

log = logging.getLogger(__name__)


def run(lease: Lease) -> str:
    """Carry out the plan that the lease's job is about; how it ended, for people. Raises JobFailed, Stopped."""
    plan = Plan.objects.select_related("registry").filter(pk=lease.subject.removeprefix("plan:")).first()
    if plan is None:
        return _GONE
    if plan.state == Plan.State.DONE:
        return _OVER
    if plan.registry.retired_at is not None:
        raise JobFailed(RETIRED)

    def work() -> None:
        with client_for(plan.registry, lease.caller) as client:
            if lease.params.get("only_begun"):
                _CARRIERS[plan.act](Course(plan, lease, client)).run(only_begun=True)
            if not _only_begun(lease):
                _CARRIERS[plan.act](Course(plan, lease, client)).run(only_begun=False)
            _check_trash(plan, client)

    return _see_through(lease, plan, work)


def run_within(
    lease: Lease, plan: Plan, client: RegistryClient, *, within: tuple[int, int], only_begun: bool = False
) -> None:
    """The same as a part of another job, whose row the plan names, and of its progress: see `Course`.

    `only_begun`: only what somebody had set out to do. How it ended is in the plan's row. Raises JobFailed, Stopped.
    """

    def work() -> None:
        for begun in (True,) if only_begun else (True, False):
            _CARRIERS[plan.act](Course(plan, lease, client, within=within)).run(only_begun=begun)

    _see_through(lease, plan, work)


def _see_through(lease: Lease, plan: Plan, work: Callable[[], None]) -> str:
    """How it ended, for people, as the plan's row says too."""
    plan.began_at = plan.began_at or timezone.now()
    with lease.writing():
        Plan.objects.filter(pk=plan.pk).update(
            state=Plan.State.UNDER_WAY, began_at=plan.began_at, ended_at=None, message=""
        )
    try:
        work()
    except Stopped:
        _end(lease, plan, Plan.State.BROKEN_OFF, _STOPPED % _counts(plan))
        raise
    except (BrokenOff, RegistryError) as reason:
        counts = {"why": _as_sentence(str(reason)), **_counts(plan)}
        sentence = (_BROKEN_OFF if counts["begun"] == "0" else _BEGUN) % counts
        _end(lease, plan, Plan.State.BROKEN_OFF, sentence)
        raise JobFailed(sentence) from reason
    counts = _counts(plan)
    sentence = (_DONE if counts["done"] == counts["all"] else _DONE_BUT) % counts
    is_over = not plan.items.open().exists()
    _end(lease, plan, Plan.State.DONE if is_over else Plan.State.BROKEN_OFF, sentence)
    return sentence


def _only_begun(lease: Lease) -> bool:
    """As its row is now: whoever carries out a plan meanwhile that is being finished wants all of it."""
    return bool(Job.objects.values_list("params", flat=True).get(pk=lease.job_id).get("only_begun"))


def _check_trash(plan: Plan, client: RegistryClient) -> None:
    """Of a small plan it is looked at at once whether what it threw away could be restored; else a task does it."""
    entries = list(TrashEntry.objects.listed().filter(plan=plan).select_related("repository")[: _CHECKED + 1])
    if len(entries) <= _CHECKED:
        with suppress(RegistryError):
            check(plan.registry, client, entries, timezone.now())


def _end(lease: Lease, plan: Plan, state: Plan.State, message: str) -> None:
    with lease.writing():
        Plan.objects.filter(pk=plan.pk).update(state=state, message=message, ended_at=timezone.now())


def _counts(plan: Plan) -> dict[str, str]:
    """How many items of each outcome, as a sentence says them."""
    by_state = dict(plan.items.order_by().values_list("state").annotate(n=Count("pk")))
    counts = {state.value: f"{by_state.get(state, 0):,}" for state in PlanItem.State}
    return counts | {"all": f"{sum(by_state.values()):,}"}


def _as_sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
