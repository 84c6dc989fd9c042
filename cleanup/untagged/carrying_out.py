"""Carrying out a run: each repository is judged once more, and what still goes is deleted by a plan of tagging.

Such a plan reads the tags again, keeps each manifest in the trash before it asks for anything, and writes the audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from django.utils.translation import gettext_noop

from catalog.models import Manifest, Presence, Repository
from catalog.models.repositories import LONG_AGO
from catalog.recording.chunks import by_number
from catalog.recording.presences import PRESENCE_COLUMNS
from catalog.rows import hold, insert, moment, select
from cleanup.models import UntaggedItem, UntaggedRun
from cleanup.untagged.judging import Stay, in_order
from cleanup.untagged.reaching import judged
from cleanup.untagged.sources import LeftAlone, Source
from jobs.running import Lease
from oci.client import RegistryClient
from oci.errors import printable
from tagging.carrying_out import run_within
from tagging.models import Plan, PlanItem
from tagging.planning import NotPlanned
from tagging.planning_untagged import plan_untagged

PIECE: Final = 500  # manifests of a repository between two judgements of it
_TOGETHER: Final = 500
_NOTE_LENGTH: Final = 500
_WHY: Final = gettext_noop("nothing reaches it, by cleanup")
_GONE: Final = gettext_noop("it is gone already")
_REFERRED: Final = gettext_noop("something else that is left refers to it, so it stays")
_STAYS: Final = {
    Stay.TAGGED: gettext_noop("a tag points to it by now, so it stays"),
    Stay.PINNED: gettext_noop("it is in use by now, or what it belongs to is, so it stays"),
    Stay.TRASH: gettext_noop("the trash has need of it by now, so it stays"),
    Stay.FRESH: gettext_noop("it was pushed again, so it stays"),
    Stay.PART: gettext_noop("an index lists it that stays, so it stays"),
    Stay.ATTACHED: gettext_noop("it belongs to something that stays, so it stays"),
    Stay.TANGLED: gettext_noop("it refers to itself by others, so it stays"),
}
SENTENCES: Final = (_WHY, _GONE, _REFERRED, *_STAYS.values())
_ENDS: Final = {
    PlanItem.State.DONE: UntaggedItem.State.DONE,
    PlanItem.State.SKIPPED: UntaggedItem.State.SKIPPED,
    PlanItem.State.FAILED: UntaggedItem.State.FAILED,
}


class CarryingOut:
    """Raises Stopped, JobFailed (of jobs) where the registry refuses, and RegistryError."""

    def __init__(self, run: UntaggedRun, lease: Lease, client: RegistryClient, source: Source) -> None:
        self._run, self._lease, self._client, self._source = run, lease, client, source
        self._total, self._open = run.items.count(), run.items.open().count()

    def carry_out(self) -> None:
        self._take_over()
        items = self._run.items.open().in_order().values_list("repository_id", "pk")
        for repository_id, rows in groupby(list(items), key=lambda row: row[0]):
            for keys in by_number((pk for _, pk in rows), PIECE):
                self._lease.tell(phase="carrying-out", tags=[self._total - self._open, self._total])
                row = Repository.objects.select_related("registry").get(pk=repository_id)
                self._delete(row, list(UntaggedItem.objects.filter(pk__in=keys).in_order()))

    def _take_over(self) -> None:
        """What whoever died had set out to do is found out and finished; what they had not is planned anew."""
        plans = Plan.objects.filter(pk__in=self._run.items.open().exclude(plan=None).values("plan"))
        for plan in plans.select_related("registry").order_by("pk"):
            try:
                self._carry_out(plan, only_begun=True)
            finally:
                self._settle(plan)

    def _delete(self, repository: Repository, items: Sequence[UntaggedItem]) -> None:
        going = self._still_going(repository, items)
        if not going:
            return
        self._note_presences(repository, going)
        try:
            plan = self._planned(repository, going)
        except NotPlanned:
            return  # the registry was removed from Berth: the next look at the lease says so
        try:
            self._carry_out(plan)
        finally:
            self._settle(plan)

    def _still_going(self, repository: Repository, items: Sequence[UntaggedItem]) -> list[UntaggedItem]:
        """Those of `items` that go as things are now, in the order that is right now; the others are left alone."""
        assert self._run.before is not None  # noqa: S101  it is planned
        try:
            contents, verdict = judged(self._source, repository, self._run.before)
        except LeftAlone as finding:
            self._leave(items, str(finding))
            return []
        by_digest = {item.digest: item for item in items}
        goes = {one.digest for one in verdict.goes} & by_digest.keys()
        order = [one.digest for one in in_order(contents.found, goes)]
        going = set(order)
        for digest, item in by_digest.items():
            if digest not in contents.found:
                self._leave([item], _GONE)
            elif digest not in going:
                stay = verdict.stays.get(digest)
                self._leave([item], _STAYS[stay] if stay else _REFERRED)
        return [by_digest[digest] for digest in order]

    def _leave(self, items: Iterable[UntaggedItem], why: str) -> None:
        keys = [item.pk for item in items]
        with self._lease.writing():
            left = UntaggedItem.objects.filter(pk__in=keys)
            left.update(state=UntaggedItem.State.SKIPPED, note=printable(why, _NOTE_LENGTH))
        self._open -= len(keys)

    def _note_presences(self, repository: Repository, items: Sequence[UntaggedItem]) -> None:
        """That these were here, of which no scan knows: the trash keeps a manifest with what is, or was, beside it."""
        columns, by_digest = ("digest", "id", "facets"), {item.digest: item for item in items}
        rows = []
        for digest, pk, facets in select(Manifest, columns, "digest", by_digest):
            item = by_digest[digest]
            # Gone since then, not now: should we die, whoever goes on would take it for something fresh.
            pushed = moment(item.since or LONG_AGO)
            what = (repository.pk, pk, item.size, Presence.State.WHOLE.value, "", 0, "", b"", facets)
            rows.append((*what, pushed, Presence.DatedBy.PUSHED.value, pushed, pushed))
        with self._lease.writing():
            hold(Repository, repository.pk)
            insert(Presence, (*PRESENCE_COLUMNS, "gone_at"), rows)

    def _planned(self, repository: Repository, items: Sequence[UntaggedItem]) -> Plan:
        """With its items, and ours that name it, in one transaction: whoever comes after us finds it."""
        with self._lease.writing():
            plan = plan_untagged(repository, [item.digest for item in items], self._run.actor, _WHY)
            Plan.objects.filter(pk=plan.pk).update(job=self._lease.job_id, requested_by=self._run.requested_by_id)
            UntaggedItem.objects.filter(pk__in=[item.pk for item in items]).update(plan=plan)
        plan.requested_by_id = self._run.requested_by_id
        return plan

    def _carry_out(self, plan: Plan, *, only_begun: bool = False) -> None:
        run_within(self._lease, plan, self._client, within=(self._total, self._open), only_begun=only_begun)

    def _settle(self, plan: Plan) -> None:
        """How the items of the plan ended is how ours did; what it has not begun is given up there, and open here.

        What nobody knows yet stays its own, until somebody finds it out.
        """
        ends = plan.items.exclude(state__in=[PlanItem.State.PLANNED, PlanItem.State.BEGUN])
        by_end: dict[tuple[str, str], list[str]] = {}
        for digest, state, note in ends.values_list("digest", "state", "note"):
            by_end.setdefault((state, note), []).append(digest)
        mine = UntaggedItem.objects.open().filter(run=self._run, plan=plan)
        for (state, note), digests in by_end.items():
            for piece in by_number(digests, _TOGETHER):
                with self._lease.writing():
                    settled = mine.filter(digest__in=piece).update(state=_ENDS[PlanItem.State(state)], note=note)
                self._open -= settled
        with self._lease.writing():
            unbegun = plan.items.filter(state=PlanItem.State.PLANNED)
            mine.filter(digest__in=list(unbegun.values_list("digest", flat=True))).update(plan=None)
            unbegun.delete()
