"""What the believable registry has told, and what came from others in its name."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from audit.models import Delivery, EventStream, Quarantined, Refused
from registries import event_secrets
from registries.models import Registry

_NONSENSE: Final = (
    b'{"events": [{"id": "<b>0c1e</b>", "action": "push",\n  "target": {"repository": "../../etc", "size": -1'
)


def build(where: Registry) -> None:
    """Its stream, which was quiet for three hours, and two secrets."""
    now = timezone.now()
    for _ in range(2):
        event_secrets.issue(where)
    EventStream.objects.create(
        registry_id=where.pk,
        first_at=now - timedelta(days=41),
        last_at=now - timedelta(hours=3),
        handled_at=now - timedelta(hours=3) + timedelta(seconds=0.4),
        claimed_at=now - timedelta(hours=3, seconds=94),
        instance="01a21e34-95b4-77e4-89b2-0d0cf0a8e1ab",
        instances=["5d3c07f9-2be1-4f0a-9d1e-c0a1b2f4e7d6", "01a21e34-95b4-77e4-89b2-0d0cf0a8e1ab"],
        instance_since=now - timedelta(days=2),
        handled=48_211,
        repeated=12,
        own=310,
        looks=90_114,
        blobs=201_553,
        quarantined=3,
        unexplained=7,
    )


def build_inbox(where: Registry) -> None:
    """What lies in the inbox, which may be another database."""
    now = timezone.now()
    Delivery.objects.create(registry_id=where.pk, received_at=now - timedelta(minutes=4), body=b"{}", size=2)
    for hours in (5, 40):
        why = "the envelope has no list of events"
        at = now - timedelta(hours=hours)
        Quarantined.objects.create(registry_id=where.pk, received_at=at, why=why, body=_NONSENSE, size=20_480)
    for address, count in (("192.0.2.17", 1_204), ("2001:db8::17", 1)):
        Refused.objects.create(registry=where.name, address=address, count=count, first_at=now, last_at=now)
