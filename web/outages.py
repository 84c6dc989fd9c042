"""Registries that do not answer while their pages are read: since when, why, and from when what is shown is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db import connection
from django.db.models import CharField, DateTimeField, OuterRef, QuerySet, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce, Concat

from catalog.models import Scan
from catalog.models.repositories import LONG_AGO
from catalog.scan import KIND
from jobs.models import Job
from registries.findings import findings
from registries.models import Registry

_MOMENTS: Final = ("scanned_at", "failing_since", "reliable_until")
_PATTERNS: Final = {  # of all rules, as JSON text
    "sqlite": "json_group_array(json_array(rule.repositories, rule.tags))",
    "postgresql": "COALESCE(json_agg(json_build_array(rule.repositories, rule.tags)), '[]')::text",
}
_OF_REGISTRY: Final = "rule.registry_id = registries_registry.id OR rule.registry_id IS NULL"
_MOMENT: Final = Value(None, output_field=DateTimeField())  # what a database takes and gives for a moment


@dataclass(frozen=True, slots=True)
class Outage:
    """`as_of` is the end of the last complete scan, None where there was none; `job` is the scan that failed last."""

    registry: Registry
    since: datetime
    as_of: datetime | None
    why: str
    job: Job | None = None

    @property
    def is_silence(self) -> bool:
        """It gives no answer at all; else it answers, and cannot be read."""
        return bool(self.registry.capability("problem") == "unreachable")


def with_last_scans(registries: QuerySet[Registry]) -> QuerySet[Registry]:
    """Each with `scanned_at`, the end of its last complete scan, and what the outages are told from.

    `last_scan` is the newest job that says whether it can be read, which one that was stopped does not;
    `failing_since` is when the first one failed after the last complete scan.
    """
    complete = Scan.objects.filter(registry=OuterRef("pk")).complete().newest_first()
    subject = Concat(Value("registry:"), Cast(OuterRef("pk"), CharField()))
    scans = Job.objects.filter(kind=KIND, subject=subject)
    telling = scans.filter(state__in=[Job.State.DONE, Job.State.FAILED, Job.State.ASKING])
    failed = scans.filter(state=Job.State.FAILED, finished_at__gt=OuterRef("reliable_until")).order_by("id")
    return registries.annotate(
        scanned_at=Subquery(complete.values("finished_at")[:1]),
        reliable_until=Coalesce(Subquery(complete.values("finished_at")[:1]), Value(LONG_AGO)),
        last_scan=Subquery(telling.newest_first().values("pk")[:1]),
    ).annotate(failing_since=Subquery(failed.values("finished_at")[:1]))


def active_with_last_scans() -> list[Registry]:
    """The active ones by name, as `with_last_scans` has them.

    And each with `protection`: JSON text, a list of the patterns of each rule that protects its tags, [repositories,
    tags]. Each page asks for them. To make its SQL took a sixth of a page, and it is always the same.
    """
    sql, values = _of_active()
    found = list(Registry.objects.raw(sql, values))
    for registry in found:
        for name in _MOMENTS:
            for convert in connection.ops.get_db_converters(_MOMENT):
                setattr(registry, name, convert(getattr(registry, name), _MOMENT, connection))
    return found


@cache
def _of_active() -> tuple[str, Sequence[Any]]:
    rules = f"SELECT {_PATTERNS[connection.vendor]} FROM tagging_protectionrule rule WHERE {_OF_REGISTRY}"  # noqa: S608  no value in it
    active = Registry.objects.active().by_name().annotate(protection=RawSQL(rules, ()))  # noqa: S611
    return with_last_scans(active).query.sql_with_params()


def outages_of(registries: Iterable[Any]) -> list[Outage]:
    """Those that could not be read when that was last tried, of registries that come `with_last_scans`. One query."""
    failing = [registry for registry in registries if registry.failing_since or _failed_test(registry)]
    jobs = Job.objects.in_bulk([registry.last_scan for registry in failing if registry.last_scan])
    found = []
    for registry in failing:
        job = jobs.get(registry.last_scan)
        if job and job.state == Job.State.FAILED and registry.failing_since:
            found.append(Outage(registry, registry.failing_since, registry.scanned_at, job.message, job))
        elif _failed_test(registry):
            why = findings(registry)[0]
            found.append(
                Outage(registry, registry.probed_at, registry.scanned_at, f"{why.sentence} {why.cure}".strip())
            )
    return found


def _failed_test(registry: Any) -> bool:
    """Its last test found a problem, and no scan has come to its end since."""
    problem = registry.capability("problem")
    return bool(problem and registry.probed_at and registry.probed_at > registry.reliable_until)
