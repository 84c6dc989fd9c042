"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task

from catalog import services


@shared_task(name="catalog.queue_due_scans")
def queue_due_scans() -> None:
    services.queue_due_scans()
