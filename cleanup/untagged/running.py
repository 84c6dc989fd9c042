"""The job that deletes what nothing reaches: it plans a run, if nobody has, and carries out what was planned."""

from __future__ import annotations

import logging
from typing import Final

from django.db import InterfaceError, OperationalError
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.scanning.choosing import own_folder
from cleanup.models import UntaggedItem, UntaggedRun
from cleanup.untagged.carrying_out import CarryingOut
from cleanup.untagged.planning import Planning
from cleanup.untagged.sources import CatalogSource, FolderSource, Source
from jobs.models import Job
from jobs.running import Asking, JobFailed, Lease, LeaseLost, Stopped, reason_of
from oci.client import RegistryClient
from oci.errors import InvalidName, RegistryError
from oci.names import parse_repository
from registries.clients import client_for
from tagging.means import problem_with_delete

KIND: Final = "untagged"
_GONE: Final = gettext_noop("The run is gone, with its registry: nothing was changed.")
_OVER: Final = gettext_noop("It was carried out already: nothing was changed.")
_RETIRED: Final = gettext_noop("The registry was removed from Berth, which no longer changes anything there.")
_NO_PLAN: Final = gettext_noop("It could not be planned, and nothing was deleted: %(why)s.")
_PLANNED: Final = gettext_noop("%(all)s of %(found)s manifests would go. Repositories left alone: %(left)s.")
_NONE: Final = gettext_noop("Something reaches each of %(found)s manifests. Repositories left alone: %(left)s.")
_DONE: Final = gettext_noop(
    "Deleted: %(done)s of %(all)s. Left alone: %(skipped)s. Failed: %(failed)s. Repositories left alone: %(left)s."
)
_STOPPED: Final = gettext_noop("Stopped. Deleted: %(done)s of %(all)s; the rest can be gone on with.")
_BROKEN_OFF: Final = gettext_noop("%(why)s Deleted in all: %(done)s of %(all)s. The rest can be gone on with.")
SENTENCES: Final = (_GONE, _OVER, _RETIRED, _NO_PLAN, _PLANNED, _NONE, _DONE, _STOPPED, _BROKEN_OFF)

log = logging.getLogger(__name__)


def run(lease: Lease) -> str:
    """What the run that the lease's job names came to, for people. Raises JobFailed, Stopped."""
    row = UntaggedRun.objects.select_related("registry").filter(pk=lease.params.get("run", 0)).first()
    if row is None:
        return _GONE
    if row.state == UntaggedRun.State.DONE:
        return _OVER
    try:
        with lease.writing():  # it may be a job that was run again
            UntaggedRun.objects.filter(pk=row.pk).update(job=lease.job_id)
        return _run(lease, row)
    except Stopped:
        _end(lease, row, UntaggedRun.State.BROKEN_OFF, _STOPPED % counts_of(row))
        raise
    except (LeaseLost, OperationalError, InterfaceError, Asking):
        raise  # somebody goes on with it
    except Exception as error:
        _end(lease, row, UntaggedRun.State.BROKEN_OFF, reason_of(error))
        raise


def _run(lease: Lease, row: UntaggedRun) -> str:
    if row.registry.retired_at is not None:
        raise JobFailed(_RETIRED)
    try:
        client = client_for(row.registry, lease.caller)
    except InvalidName as error:
        raise JobFailed(_NO_PLAN % {"why": error}) from error
    with client:
        source = _source(row, client)
        if row.planned_at is None:
            _plan(lease, row, source)
        if not row.items.exists():
            sentence = _NONE % counts_of(row)
            _end(lease, row, UntaggedRun.State.DONE, sentence)
            return sentence
        if lease.params.get("only_plan"):
            return _PLANNED % counts_of(row)
        return _carry_out(lease, row, client, source)


def _source(row: UntaggedRun, client: RegistryClient) -> Source:
    """The folder, once it is proved to be the registry's own. A run goes on by what it was planned by."""
    try:
        folder, why_not = own_folder(row.registry, client)
    except RegistryError as error:
        raise JobFailed(_NO_PLAN % {"why": str(error).rstrip(".")}) from error
    if row.planned_at is None:
        row.source_note = why_not
    elif row.source == UntaggedRun.Source.FOLDER and folder is None:
        raise JobFailed(_NO_PLAN % {"why": why_not.rstrip(".")})
    is_by_folder = folder is not None and row.source != UntaggedRun.Source.CATALOG
    return FolderSource(folder) if folder is not None and is_by_folder else CatalogSource(client)


def _plan(lease: Lease, row: UntaggedRun, source: Source) -> None:
    def tell(done: int, total: int) -> None:
        lease.tell(phase="planning", repositories=[done, total])

    try:
        Planning(row, lease, source, tell).plan(timezone.now())
    except RegistryError as error:
        raise JobFailed(_NO_PLAN % {"why": str(error).rstrip(".")}) from error


def _carry_out(lease: Lease, row: UntaggedRun, client: RegistryClient, source: Source) -> str:
    with lease.writing():
        row.began_at = row.began_at or timezone.now()
        UntaggedRun.objects.filter(pk=row.pk).update(
            state=UntaggedRun.State.UNDER_WAY, began_at=row.began_at, ended_at=None, message=""
        )
    try:
        _check_deletes(row, client)
        CarryingOut(row, lease, client, source).carry_out()
    except JobFailed as failure:
        why = failure.__cause__ or failure.sentence  # not with the counts of one of the plans
        raise JobFailed(_BROKEN_OFF % {"why": _as_sentence(str(why)), **counts_of(row)}) from failure
    except RegistryError as error:
        raise JobFailed(_BROKEN_OFF % {"why": _as_sentence(str(error)), **counts_of(row)}) from error
    sentence = _DONE % counts_of(row)
    is_over = not row.items.open().exists()
    _end(lease, row, UntaggedRun.State.DONE if is_over else UntaggedRun.State.BROKEN_OFF, sentence)
    return sentence


def _check_deletes(row: UntaggedRun, client: RegistryClient) -> None:
    """Before anything is kept in the trash: a registry whose deletes are off says so to the first question."""
    first = row.items.open().select_related("repository").in_order().first()
    if first and (problem := problem_with_delete(client, parse_repository(first.repository.name))):
        raise JobFailed(problem)


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def counts_of(row: UntaggedRun) -> dict[str, str]:
    """How many items came to which end, as a sentence says them."""
    by_state = dict(row.items.order_by().values_list("state").annotate(n=Count("pk")))
    counts = {state.value: f"{by_state.get(state, 0):,}" for state in UntaggedItem.State}
    more = {"all": sum(by_state.values()), "found": row.found, "left": row.left_alone_count}
    return counts | {name: f"{count:,}" for name, count in more.items()}


def end_abandoned() -> None:
    """Runs whose job ended without a word of them: its worker died for good."""
    is_under_way = Q(state=UntaggedRun.State.UNDER_WAY) & ~Q(job__state__in=Job.UNFINISHED)
    for row in UntaggedRun.objects.filter(is_under_way).select_related("job"):
        ended = {"message": row.job.message if row.job else "", "ended_at": timezone.now()}
        as_it_was = UntaggedRun.objects.filter(pk=row.pk, job=row.job, state=row.state)
        as_it_was.update(state=UntaggedRun.State.BROKEN_OFF, **ended)


def _end(lease: Lease, row: UntaggedRun, state: UntaggedRun.State, message: str) -> None:
    with lease.writing():
        UntaggedRun.objects.filter(pk=row.pk).update(state=state, message=message, ended_at=timezone.now())
