"""How each registry stands with one kind of cleanup: its newest run, the one that moves, and when it is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import OuterRef, Q, QuerySet, Subquery

from cleanup.models import ClassicRun, Timetable, UntaggedRun
from cleanup.untagged.services import GRACE
from jobs.models import Job
from jobs.schedule import Schedule, When
from registries.models import Registry, for_asking
from web.cleanup.work_row import WorkRow
from web.sync.words import schedule

_MUCH: Final = ("left_alone", "stays", "in_use", "removed_from")  # JSON that no list shows


@dataclass(slots=True)
class Stand:
    """`last` is its newest run; `moving` the one that is under way, or asks."""

    registry: Registry
    last: WorkRow[Any] | None = None
    moving: WorkRow[Any] | None = None
    timetable: Timetable | None = None

    @property
    def grace_hours(self) -> int:
        """What a run over untagged manifests begins with."""
        said = self.timetable.grace_hours if self.timetable else None
        return GRACE if said is None else said

    @property
    def schedule(self) -> str:
        """When it is due, in words; "" for only when somebody asks."""
        said = self.timetable.kept() if self.timetable else Schedule()
        return "" if said.when is When.BY_HAND else schedule(said)


def stands_of(
    registries: Sequence[Registry], model: type[UntaggedRun | ClassicRun], work: Timetable.Work
) -> list[Stand]:
    """In the order of the registries; two queries."""
    found = {registry.pk: Stand(registry) for registry in registries}
    of_it = model._default_manager.filter(registry=OuterRef("pk")).order_by("-pk").values("pk")[:1]  # noqa: SLF001
    newest = Registry.objects.filter(pk__in=found).values_list(Subquery(of_it))
    wanted = Q(registry__in=found) & (Q(pk__in=newest) | Q(job__state__in=Job.UNFINISHED))
    rows: QuerySet[Any] = model._default_manager.filter(wanted)  # noqa: SLF001
    for run in whole(rows).order_by("pk"):
        stand, row = found[run.registry_id], WorkRow(run)
        stand.last = row
        if row.job is not None:
            stand.moving = row
    for timetable in Timetable.objects.filter(registry__in=found, work=work):
        found[timetable.registry_id].timetable = timetable
    return list(found.values())


def whole(runs: QuerySet[Any]) -> QuerySet[Any]:
    """Each with its registry and its job, and without what no list shows."""
    names = {field.name for field in runs.model._meta.get_fields()}  # noqa: SLF001  Django's own word for it
    deferred = [name for name in _MUCH if name in names]
    return runs.select_related("registry", "job").defer(*for_asking("registry"), *deferred)
