"""What Celery's beat wakes."""

from __future__ import annotations

from typing import Final

from celery import shared_task

from audit import chain

_AT_ONCE: Final = 10_000  # entries, in seconds: whatever waits for this worker does not wait long


@shared_task(name="audit.seal")
def seal() -> None:
    chain.seal(_AT_ONCE)
