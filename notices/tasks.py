"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from notices import delivery, feeding, pruning


@shared_task(name="notices.feed")
def feed() -> None:
    feeding.feed(timezone.now())


@shared_task(name="notices.deliver")
def deliver() -> None:
    delivery.deliver()


@shared_task(name="notices.prune")
def prune() -> None:
    pruning.prune(timezone.now())
