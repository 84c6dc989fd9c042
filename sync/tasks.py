"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from sync import pruning, services


@shared_task(name="sync.queue_due")
def queue_due() -> None:
    services.queue_due(timezone.now())


@shared_task(name="sync.prune")
def prune() -> None:
    pruning.prune(timezone.now())
