"""The job that copies images in: it plans a run, if nobody has, and carries out what was planned and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import InterfaceError, OperationalError, connections
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import RepositoryBlob
from jobs.models import Job
from jobs.running import Asking, JobFailed, Lease, LeaseLost, Stopped, reason_of
from jobs.schedule import Schedule
from oci.client import RegistryClient
from oci.errors import InvalidName, RegistryError, TooManyRequests
from oci.names import Digest, RepositoryName, parse_repository
from oci.throttle import Throttle
from registries.clients import client_for, throttle_for
from registries.models import Registry
from sync.copying import Copying
from sync.engine import Engine
from sync.faults import Away, fault_of
from sync.gone import delete, guard
from sync.holding import let_go_of_all
from sync.models import Item, Run
from sync.naming import InvalidTemplate
from sync.pausing import Paused, until_open
from sync.planned import write_draft
from sync.planning import Planning
from sync.shielding import Shield
from sync.terms import InvalidTerms, Terms
from sync.weighing import known_of, weigh

KIND: Final = "sync"
_HOMES: Final = 2  # repositories of the target that are named for a blob
_GONE: Final = gettext_noop("The run is gone, with its registry: nothing was changed.")
_OVER: Final = gettext_noop("It was carried out already: nothing was changed.")
_RETIRED: Final = gettext_noop("One of its registries was removed from Berth: nothing was changed.")
_UNASKABLE: Final = gettext_noop("%(registry)s cannot be asked, and nothing was changed: %(why)s.")
_NO_PLAN: Final = gettext_noop("It could not be planned, and nothing was changed: %(why)s.")
_PLANNED: Final = gettext_noop("%(new)s new, %(moved)s moved, %(unchanged)s unchanged, %(left)s left alone.")
_STOPPED: Final = gettext_noop("Stopped. %(done)s were copied; the rest can be gone on with.")
_WAITS: Final = gettext_noop("%(why)s. It goes on by itself at %(time)s UTC; until then %(done)s were copied.")
_AWAY: Final = gettext_noop("%(why)s. %(done)s were copied; the rest can be gone on with.")
_DONE: Final = gettext_noop("%(done)s copied, %(unchanged)s unchanged.")
_DONE_BUT: Final = gettext_noop("%(done)s copied, %(unchanged)s unchanged, %(left)s left alone, %(failed)s failed.")
SENTENCES: Final = (
    *(_GONE, _OVER, _RETIRED, _UNASKABLE, _NO_PLAN, _PLANNED, _STOPPED, _WAITS, _AWAY, _DONE, _DONE_BUT),
)

log = logging.getLogger(__name__)


def run(lease: Lease) -> str:
    """What the run that the lease's job is about came to, for people. Raises JobFailed, Stopped."""
    row = Run.objects.select_related("rule", "source", "target").filter(pk=lease.subject.removeprefix("sync:")).first()
    if row is None:
        return _GONE
    if row.state == Run.State.DONE:
        return _OVER
    try:
        return _run(lease, row)
    except Stopped:
        _end(lease, row, Run.State.BROKEN_OFF, _STOPPED % _counts(row))
        raise
    except (LeaseLost, OperationalError, InterfaceError):
        raise  # somebody goes on with it
    except Asking as asking:
        _end(lease, row, Run.State.BROKEN_OFF, str(asking.question["text"]))
        raise
    except Exception as error:
        _end(lease, row, Run.State.BROKEN_OFF, reason_of(error))
        raise


def _run(lease: Lease, row: Run) -> str:
    if row.source.retired_at is not None or row.target.retired_at is not None:
        raise JobFailed(_RETIRED)
    with _client_for(row.source, lease) as source, _client_for(row.target, lease) as target:
        return _Running(row, lease, source, target).run()


def _client_for(registry: Registry, lease: Lease) -> RegistryClient:
    try:
        return client_for(registry, lease.caller)
    except InvalidName as error:
        raise JobFailed(_UNASKABLE % {"registry": registry.name, "why": error}) from error


class _Running:
    def __init__(self, run: Run, lease: Lease, source: RegistryClient, target: RegistryClient) -> None:
        self._run, self._lease, self._source, self._target = run, lease, source, target

    def run(self) -> str:
        if self._run.planned_at is None:
            try:
                self._plan()
            except Paused as pause:
                return self._wait(pause)
        if self._lease.params.get("only_plan"):
            self._weigh()
            return _PLANNED % _planned(self._run)
        return self._carry_out()

    def _plan(self) -> None:
        def tell(done: int, total: int) -> None:
            self._lease.tell(phase="planning", tags=[done, total])

        try:
            draft = Planning(self._run, self._source, self._target, tell).draft(timezone.now())
        except (RegistryError, InvalidName, InvalidTemplate, InvalidTerms) as error:
            if isinstance(error, TooManyRequests):
                fault = fault_of(error)
                raise Paused(fault.wait, fault.sentence) from error
            raise JobFailed(_NO_PLAN % {"why": str(error).rstrip(".")}) from error
        write_draft(self._lease, self._run, draft, timezone.now())

    def _weigh(self) -> None:
        """A source that counts pulls is only asked for what each image has when somebody wants that."""
        if self._source.transport.quota is not None and not self._lease.params.get("weigh"):
            return

        def tell(done: int, total: int) -> None:
            self._lease.tell(phase="weighing", tags=[done, total])

        try:
            weigh(self._run, self._lease, self._source, tell)
        except RegistryError as error:
            log.warning("run %s could not be weighed: %s", self._run.pk, error)

    def _carry_out(self) -> str:
        self._begin()
        shield = Shield(self._run.target)
        engine = Engine(
            self._source,
            self._target,
            homes=self._homes,
            known=known_of(self._run),
            throttles=self._throttles(),
            holds=shield.holds,
            is_same=self._run.source_id == self._run.target_id,
        )
        try:
            self._keep_to_hours()
            closes_at = self._closes_at()
            Copying(self._run, self._lease, self._source, engine, shield=shield, closes_at=closes_at).carry_out()
            self._run.refresh_from_db(fields=["rule"])  # it may have been removed meanwhile
            guard(self._run, self._lease.params.get("allowed", {}))
            delete(self._run, self._lease, self._source)
        except Paused as pause:
            return self._wait(pause)
        except Away as away:
            raise JobFailed(_AWAY % {"why": away.sentence, **_counts(self._run)}) from away
        finally:
            self._note_quota()
        counts = _counts(self._run)
        has_more = counts["failed"] != "0" or counts["left"] != "0"
        sentence = (_DONE_BUT if has_more else _DONE) % counts
        _end(self._lease, self._run, Run.State.DONE, sentence)
        return sentence

    @property
    def _hours(self) -> Schedule:
        """Those of its rule; whoever asks for a run by hand wants it now."""
        is_wanted_now = self._run.requested_by_id or self._lease.params.get("now")
        return Schedule() if is_wanted_now else Terms.read(self._run.terms).schedule

    def _keep_to_hours(self) -> None:
        now = timezone.now()
        if not self._hours.is_open(now):
            raise until_open(self._hours, now)

    def _closes_at(self) -> datetime | None:
        return self._hours.closes_after(timezone.now())

    def _begin(self) -> None:
        self._lease.when_given_back = partial(_leave_begun, self._run)
        with self._lease.writing():
            # Whoever began these has died: that was a try, however this attempt ends.
            self._run.items.filter(state=Item.State.BEGUN).update(state=Item.State.PLANNED)
            Run.objects.filter(pk=self._run.pk).update(
                state=Run.State.UNDER_WAY,
                job_id=self._lease.job_id,
                began_at=self._run.began_at or timezone.now(),
                ended_at=None,
                resumes_at=None,
                message="",
            )

    def _wait(self, pause: Paused) -> str:
        resumes_at = timezone.now() + timedelta(seconds=pause.seconds)
        sentence = _WAITS % {"why": pause.sentence, "time": f"{resumes_at:%H:%M}", **_counts(self._run)}
        _end(self._lease, self._run, Run.State.WAITING, sentence, resumes_at=resumes_at)
        return sentence

    def _throttles(self) -> Iterable[Throttle]:
        """Of both registries, shared by all runs here, and of the rule."""
        most = Terms.read(self._run.terms).bytes_per_second
        throttles = [throttle_for(self._run.source), throttle_for(self._run.target), Throttle(most) if most else None]
        return [throttle for throttle in throttles if throttle is not None]

    def _homes(self, digest: Digest) -> Iterable[RepositoryName]:
        """Asked in the threads that copy: their connections are closed at once, since nobody else does."""
        rows = RepositoryBlob.objects.filter(
            blob__digest=str(digest), repository__registry=self._run.target, repository__gone_at=None
        )
        try:
            names = list(rows.values_list("repository__name", flat=True)[:_HOMES])
        finally:
            connections.close_all()
        return map(parse_repository, names)

    def _note_quota(self) -> None:
        if quota := self._source.transport.quota:
            Run.objects.filter(pk=self._run.pk).update(quota_left=quota.remaining, quota_limit=quota.limit)


def end_abandoned() -> None:
    """Runs whose job ended without a word of them: its worker died for good, or it was stopped where nobody had it."""
    is_under_way = Q(state=Run.State.UNDER_WAY) & ~Q(job__state__in=Job.UNFINISHED)
    is_stopped = Q(state=Run.State.WAITING, job__state__in=[Job.State.STOPPED, Job.State.FAILED])  # before it went on
    for run in Run.objects.filter(is_under_way | is_stopped).select_related("job"):
        ended = {"message": run.job.message if run.job else "", "ended_at": timezone.now(), "resumes_at": None}
        as_it_was = Run.objects.filter(pk=run.pk, job=run.job, state=run.state)
        if as_it_was.update(state=Run.State.BROKEN_OFF, **ended):
            let_go_of_all(run)


def _end(lease: Lease, run: Run, state: Run.State, message: str, **more: object) -> None:
    ended = None if state == Run.State.WAITING else timezone.now()
    with lease.writing():
        _leave_begun(run)
        let_go_of_all(run)
        if state == Run.State.DONE:
            run.manifests.all().delete()
        Run.objects.filter(pk=run.pk).update(
            **{"state": state, "message": message, "ended_at": ended, "resumes_at": None, **more}
        )


def _leave_begun(run: Run) -> None:
    """What was begun and not ended is as it was planned, and counts as no try: nobody died of it."""
    run.items.filter(state=Item.State.BEGUN).update(state=Item.State.PLANNED, tries=F("tries") - 1)


def _planned(run: Run) -> dict[str, str]:
    return {name: f"{getattr(run, name):,}" for name in ("new", "moved", "unchanged", "left")}


def _counts(run: Run) -> dict[str, str]:
    """How many items came to which end, as a sentence says them."""
    rows = run.items.order_by().values_list("act", "state").annotate(n=Count("pk"))
    by_end = {(act, state): n for act, state, n in rows}
    unchanged = sum(n for (act, _), n in by_end.items() if act == Item.Act.KEEP)
    by_state: dict[str, int] = {}
    for (act, state), n in by_end.items():
        if act != Item.Act.KEEP:
            by_state[state] = by_state.get(state, 0) + n
    failed = by_state.get(Item.State.FAILED, 0) + by_state.get(Item.State.PARKED, 0)
    return {
        "done": f"{by_state.get(Item.State.DONE, 0):,}",
        "unchanged": f"{unchanged:,}",
        "left": f"{by_state.get(Item.State.SKIPPED, 0):,}",
        "failed": f"{failed:,}",
    }
