"""How fresh what a registry tells is, read from what is stored: no registry is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db.models import BinaryField
from django.db.models.functions import Substr
from django.utils import timezone

from audit.models import Delivery, EventStream, Quarantined, Refused
from catalog.models import Scan
from registries import event_secrets
from registries.models import EventSecret, Registry

MOST: Final = 1_000  # deliveries that are counted
_FEW: Final = 3
_SCANS: Final = 200
_SHOWN: Final = 600  # bytes
_LINES: Final = 8
_UNSHOWN: Final = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Crumb:
    """Something that came and could not be handled: `text` is how it begins, and a stranger's."""

    received_at: datetime
    why: str
    text: str
    size: int  # bytes of all of it


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who did not show the secret; `address` is "" for all those beyond a number of addresses."""

    address: str
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Freshness:
    """`secrets` are the live ones, the newest first, `refused` the last callers, `quarantine` the newest in it.

    `missed` are the tags that scans found new or moved that began after the last event.
    """

    now: datetime
    stream: EventStream | None = None
    secrets: list[EventSecret] = field(default_factory=list)
    waiting: int = 0  # deliveries; MOST: that many or more
    waiting_since: datetime | None = None
    refused: list[Caller] = field(default_factory=list)
    quarantine: list[Crumb] = field(default_factory=list)
    missed: int = 0
    missed_at: datetime | None = None  # when the last of those scans ended

    @property
    def lag(self) -> timedelta | None:
        """How long the last delivery took to take effect."""
        return self.stream.handled_at - self.stream.last_at if self.stream else None

    @property
    def travel(self) -> timedelta | None:
        """How long after what it told the last delivery came in, by the clock of the registry; less than 0: ahead."""
        return self.stream.last_at - self.stream.claimed_at if self.stream and self.stream.claimed_at else None

    @property
    def restarted_at(self) -> datetime | None:
        """When the registry was seen to have been started anew, where it was."""
        return self.stream.instance_since if self.stream and len(self.stream.instances) > 1 else None


def freshness(registry: Registry) -> Freshness:
    """Six queries, however much there is."""
    stream = EventStream.objects.filter(registry_id=registry.pk).first()
    secrets = event_secrets.live(registry)
    came = Delivery.objects.filter(registry_id=registry.pk).order_by("pk").values_list("received_at", flat=True)
    waiting = list(came[:MOST])
    missed, missed_at = _missed(registry, stream.last_at) if stream else (0, None)
    return Freshness(
        now=timezone.now(),
        stream=stream,
        secrets=secrets,
        waiting=len(waiting),
        waiting_since=waiting[0] if waiting else None,
        refused=_refused({registry.name, *(secret.name for secret in secrets)}),
        quarantine=_quarantine(registry),
        missed=missed,
        missed_at=missed_at,
    )


def _missed(registry: Registry, last_at: datetime) -> tuple[int, datetime | None]:
    scans = Scan.objects.filter(registry=registry, started_at__gt=last_at, finished_at__isnull=False).newest_first()
    rows = list(scans.values_list("new_tags", "moved_tags", "finished_at")[:_SCANS])
    found = [(new + moved, at) for new, moved, at in rows if new or moved]
    return sum(count for count, _ in found), found[0][1] if found else None


def _refused(names: set[str]) -> list[Caller]:
    rows = Refused.objects.filter(registry__in=names).order_by("-last_at", "-pk")
    return [Caller(row.address, row.count, row.last_at) for row in rows[:_FEW]]


def _quarantine(registry: Registry) -> list[Crumb]:
    beginning = Substr("body", 1, _SHOWN, output_field=BinaryField())
    rows = Quarantined.objects.filter(registry_id=registry.pk).order_by("-pk").annotate(beginning=beginning)
    found = rows.values_list("received_at", "why", "beginning", "size")[:_FEW]
    return [Crumb(at, why, _legible(bytes(start)), size) for at, why, start, size in found]


def _legible(content: bytes) -> str:
    """As a person may be shown it: a few lines, and nothing in them that a screen would obey."""
    lines = content.decode("utf-8", "replace").splitlines()[:_LINES]
    return "\n".join("".join(sign if sign.isprintable() else _UNSHOWN for sign in line) for line in lines)
