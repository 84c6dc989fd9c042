"""The inbox: what registries tell is stored as it comes, and handled later, once in effect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from audit.models import Delivery, Quarantined
from oci.errors import printable

LARGEST: Final = 2**20  # bytes of a delivery that is read; distribution sends an event at a time, of two thousand
KEPT: Final = 2**16  # bytes that are kept of what is larger, and of what is quarantined
TRIES: Final = 5  # then a delivery is quarantined: it has ended its handler that often
_HELD: Final = 2**19  # bytes that are taken at once: what they change is written in one transaction
_QUARANTINE: Final = 1_000  # of a registry: the newest
_WHY: Final = 500  # characters
# By hand, since a registry waits for each: the ORM takes as long for it as the disk.
_INSERTION: Final = (
    "INSERT INTO audit_delivery (registry_id, received_at, body, size, attempts) VALUES (%s, %s, %s, %s, 0)"
)


@dataclass(frozen=True, slots=True)
class Refuse:
    """A delivery, or a part of one, that cannot be handled."""

    registry_id: int
    body: bytes
    why: str
    size: int = 0  # bytes that came; 0: those of `body`


def store(registry_id: int, body: bytes, size: int) -> None:
    """Keep a delivery for good: when this returns, it is on the disk. `size`: bytes that came, maybe more than these.

    Raises DatabaseError when it could not be kept.
    """
    body = body if size <= LARGEST else body[:KEPT]
    inbox = connections[settings.INBOX_DATABASE]
    received_at = inbox.ops.adapt_datetimefield_value(timezone.now())
    with inbox.cursor() as cursor:
        cursor.execute(_INSERTION, (registry_id, received_at, body, size))


def hurry() -> None:
    """What this process takes out of the inbox may come back after a loss of power, and is known then to be seen.

    So its commits need not wait for the disk, nor keep a registry waiting that tells something meanwhile.
    """
    inbox = connections[settings.INBOX_DATABASE]
    if inbox.vendor == "sqlite" and settings.INBOX_DATABASE != "default":
        with inbox.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = NORMAL")


def take(most: int) -> list[Delivery]:
    """The oldest deliveries, each counted as begun. One that was begun before comes alone: it may be what ends us."""
    chosen: list[int] = []
    held = 0
    # Their sizes before their bodies, all of which may be more than the memory holds.
    for pk, size, attempts in Delivery.objects.order_by("id").values_list("pk", "size", "attempts")[:most]:
        held += min(size, LARGEST)
        if chosen and (attempts or held > _HELD):
            break
        chosen.append(pk)
        if attempts:
            break
    if not chosen:
        return []
    taken = list(Delivery.objects.filter(pk__in=chosen).order_by("id"))
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in taken]).update(attempts=F("attempts") + 1)
    for delivery in taken:
        delivery.attempts += 1
    return taken


def put_back(deliveries: Iterable[Delivery]) -> None:
    """As if nobody had begun them: what kept them from being handled was no fault of theirs."""
    mine = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries], attempts__gt=0)
    mine.update(attempts=F("attempts") - 1)


def let_go(deliveries: Collection[Delivery], refuse: Sequence[Refuse] = ()) -> None:
    """They have taken effect, all but `refuse`, which is quarantined, the newest thousand of each registry."""
    now = timezone.now()
    with transaction.atomic(using=settings.INBOX_DATABASE):
        Quarantined.objects.bulk_create(
            Quarantined(
                registry_id=part.registry_id,
                received_at=now,
                why=printable(part.why, _WHY),
                body=part.body[:KEPT],
                size=part.size or len(part.body),
            )
            for part in refuse
        )
        Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries]).delete()
        for registry in {part.registry_id for part in refuse}:
            old = Quarantined.objects.filter(registry_id=registry).order_by("-id").values_list("pk", flat=True)
            if oldest := list(old[_QUARANTINE : _QUARANTINE + 1]):
                Quarantined.objects.filter(registry_id=registry, pk__lte=oldest[0]).delete()
