"""What Celery's beat wakes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from tagging import breaches, checking, services


@shared_task(name="tagging.recover")
def recover() -> None:
    services.recover()


@shared_task(name="tagging.look_for_breaches")
def look_for_breaches() -> None:
    breaches.look(timezone.now())


@shared_task(name="tagging.check_trash")
def check_trash() -> None:
    checking.check_due(timezone.now())


@shared_task(name="tagging.expire")
def expire() -> None:
    services.forget()
    checking.expire(timezone.now())
