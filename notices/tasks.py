"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from notices import delivery, feeding, pruning


@shared_task(name="notices.tell")
def tell() -> None:
    """What cannot be read keeps nobody from being told what was read before."""
    try:
        feeding.feed(timezone.now())
    finally:
        delivery.deliver()


@shared_task(name="notices.prune")
def prune() -> None:
    pruning.prune(timezone.now())
