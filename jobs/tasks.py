"""What Celery runs: ids in, nothing out."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from jobs import pruning, running, services


@shared_task(name="jobs.run")
def run(job_id: int) -> None:
    running.run(job_id)


@shared_task(name="jobs.sweep")
def sweep() -> None:
    services.sweep()


@shared_task(name="jobs.prune")
def prune() -> None:
    pruning.prune(timezone.now())


@worker_ready.connect
def _sweep_at_once(**_: Any) -> None:
    """What the worker before this one gave back as it ended goes on now, not at the next tick of the clock."""
    sweep.apply_async(retry=False, expires=25)
