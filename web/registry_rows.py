"""The rows of the page of registries: as many queries for twelve as for two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

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
    """Of all registries, the active and the retired ones. Three queries."""
    registries = list(Registry.objects.catalogs().by_name().with_last_event())
    newest = Subquery(Scan.objects.filter(registry=OuterRef("pk")).newest_first().values("pk")[:1])
    last = Scan.objects.filter(pk__in=Registry.objects.catalogs().annotate(newest=newest).values("newest"))
    lasts = {scan.registry_id: scan for scan in last}
    wholes = {scan.registry_id: scan for scan in Scan.objects.newest_complete_of(registries)}
    return [_row(registry, lasts.get(registry.pk), wholes.get(registry.pk)) for registry in registries]


def _row(registry: Registry, last: Scan | None, whole: Scan | None) -> Row:
    last_event = registry.last_event  # type: ignore[attr-defined]  # annotated
    return Row(registry, whole, None if registry.retired_at else next_after(registry, last, whole, last_event))
