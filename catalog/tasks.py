"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from catalog import folding, services
from catalog.arrivals import unexplained


@shared_task(name="catalog.look_for_unexplained")
def look_for_unexplained() -> None:
    unexplained.look(timezone.now())


@shared_task(name="catalog.queue_due_scans")
def queue_due_scans() -> None:
    services.queue_due_scans()


@shared_task(name="catalog.queue_folding")
def queue_folding() -> None:
    folding.queue_due(timezone.now())
