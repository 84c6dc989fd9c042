"""The rows of the page of sources: as many queries for twelve as for two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.findings import Finding, findings
from registries.limits import Limits
from registries.models import Registry, RegistryQuerySet
from registries.presets import preset_called
from registries.source_findings import quota
from web.templatetags.berth import size

_SECRETS = ("password", "client_key", "proxy", "client_certificate", "ca")  # which no list deciphers, or shows


@dataclass(frozen=True, slots=True)
class Row:
    registry: Registry
    rules: int

    @property
    def service(self) -> str:
        """The well-known one that it is, by its name; nothing where it is none."""
        preset = preset_called(self.registry.preset)
        return preset.title if preset else ""

    @property
    def findings(self) -> list[Finding]:
        return findings(self.registry)

    @property
    def quota(self) -> list[Finding]:
        """How many pulls are left, where the last test learnt that."""
        return [] if self.registry.capability("problem") else quota(self.registry)

    @property
    def limits(self) -> list[str]:
        return list(_limits(Limits.of(self.registry)))


def source_rows() -> Sequence[Row]:
    return _rows(Registry.objects.sources())


def own_rows() -> Sequence[Row]:
    """Those of ours that rules copy from."""
    return [row for row in _rows(Registry.objects.active()) if row.rules]


def _rows(registries: RegistryQuerySet) -> Sequence[Row]:
    counted = registries.annotate(rules=Count("rules_from_here")).defer(*_SECRETS).order_by("name")
    return [Row(registry, registry.rules) for registry in counted]  # type: ignore[attr-defined]  # annotated


def _limits(limits: Limits) -> Iterator[str]:
    if limits.at_once is not None:
        yield _("%(n)s at once") % {"n": limits.at_once}
    if limits.requests_per_second is not None:
        pace = number_format(limits.requests_per_second)
        yield _("%(n)s requests a second") % {"n": pace.removesuffix(".0")}
    if limits.bytes_per_second is not None:
        yield _("%(size)s a second") % {"size": size(limits.bytes_per_second)}
    if limits.quota_floor:
        floor = number_format(limits.quota_floor, force_grouping=True)
        yield ngettext("leaves %(n)s pull", "leaves %(n)s pulls", limits.quota_floor) % {"n": floor}
