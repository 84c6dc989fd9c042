"""The inbox: what registries tell is stored as it comes, and thought about later."""

from __future__ import annotations

from typing import Final

from django.utils import timezone

from audit.models import Delivery

LARGEST: Final = 2**20  # bytes of a delivery that is read; distribution sends an event at a time, of two thousand
KEPT: Final = 2**16  # bytes that are kept of what is larger


def store(registry_id: int, body: bytes, size: int) -> None:
    """Keep a delivery for good: when this returns, it is on the disk. `size`: bytes that came, maybe more than these.

    Raises DatabaseError when it could not be kept.
    """
    body = body if size <= LARGEST else body[:KEPT]
    Delivery.objects.create(registry_id=registry_id, received_at=timezone.now(), body=body, size=size)
