"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from cleanup import pins, timetables
from cleanup.classic import services as classic
from cleanup.retention import pruning as retention_pruning
from cleanup.retention import services as retention
from cleanup.sweeping import services as sweeps
from cleanup.untagged import running as untagged_runs
from cleanup.untagged import services as untagged
from cleanup.verifying import services as checks


@shared_task(name="cleanup.finish_sweeps")
def finish_sweeps() -> None:
    sweeps.finish_due(timezone.now())


@shared_task(name="cleanup.queue_due_sweeps")
def queue_due_sweeps() -> None:
    sweeps.queue_due(timezone.now())


@shared_task(name="cleanup.prune_sweeps")
def prune_sweeps() -> None:
    sweeps.prune(timezone.now())


@shared_task(name="cleanup.queue_waiting_checks")
def queue_waiting_checks() -> None:
    checks.queue_waiting()


@shared_task(name="cleanup.prune_checks")
def prune_checks() -> None:
    checks.prune(timezone.now())


@shared_task(name="cleanup.prune_pins")
def prune_pins() -> None:
    pins.prune(timezone.now())


@shared_task(name="cleanup.prune_untagged")
def prune_untagged() -> None:
    untagged_runs.end_abandoned()
    untagged.prune(timezone.now())


@shared_task(name="cleanup.open_registries")
def open_registries() -> None:
    classic.recover()


@shared_task(name="cleanup.prune_garbage_collections")
def prune_garbage_collections() -> None:
    classic.prune(timezone.now())


@shared_task(name="cleanup.queue_due_retention")
def queue_due_retention() -> None:
    retention.queue_due(timezone.now())


@shared_task(name="cleanup.prune_retention")
def prune_retention() -> None:
    retention_pruning.prune(timezone.now())


@shared_task(name="cleanup.queue_due_by_timetables")
def queue_due_by_timetables() -> None:
    timetables.queue_due(timezone.now())
