"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from cleanup.sweeping import services as sweeps


@shared_task(name="cleanup.finish_sweeps")
def finish_sweeps() -> None:
    sweeps.finish_due(timezone.now())
