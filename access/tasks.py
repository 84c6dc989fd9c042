"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from access import forgetting


@shared_task(name="access.forget")
def forget() -> None:
    forgetting.forget(timezone.now())
