"""What Celery runs: ids in, nothing out."""

from __future__ import annotations

from celery import shared_task

from jobs import running, services


@shared_task(name="jobs.run")
def run(job_id: int) -> None:
    running.run(job_id)


@shared_task(name="jobs.sweep")
def sweep() -> None:
    services.sweep()
