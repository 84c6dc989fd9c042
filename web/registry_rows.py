"""The rows of the page of registries: as many queries for twelve as for two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from audit.models import EventStream
from catalog.models import Scan
from catalog.services import next_after
from registries.findings import Finding, findings
from registries.models import Registry
from web.schedule import due


@dataclass(frozen=True, slots=True)
class Row:
    """`scan` is the last complete one, `next_scan` None where there will be no more."""

    registry: Registry
    scan: Scan | None
    next_scan: datetime | None

    @property
    def findings(self) -> list[Finding]:
        return findings(self.registry)

    @property
    def due(self) -> str:
        """When the next scan begins, in words."""
        return due(self.next_scan) if self.next_scan else ""


def registry_rows() -> list[Row]:
    """Of all registries, the active and the retired ones. Four queries."""
    registries = list(Registry.objects.by_name())
    newest = Subquery(Scan.objects.filter(registry=OuterRef("pk")).newest_first().values("pk")[:1])
    last = Scan.objects.filter(pk__in=Registry.objects.annotate(newest=newest).values("newest"))
    lasts = {scan.registry_id: scan for scan in last}
    wholes = {scan.registry_id: scan for scan in Scan.objects.newest_complete_of(registries)}
    streams = EventStream.objects.in_bulk(wholes)
    return [_row(row, lasts.get(row.pk), wholes.get(row.pk), streams.get(row.pk)) for row in registries]


def _row(registry: Registry, last: Scan | None, whole: Scan | None, stream: EventStream | None) -> Row:
    return Row(registry, whole, None if registry.retired_at else next_after(registry, last, whole, stream))
