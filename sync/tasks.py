"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from sync import services


@shared_task(name="sync.queue_due")
def queue_due() -> None:
    services.queue_due(timezone.now())
