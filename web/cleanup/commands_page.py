"""The pages of the sweep by commands: which way each registry has, and what one run did, command by command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext

from catalog.reads.keyset import Column, Order, Page, paged
from cleanup.classic.templates import TEMPLATES
from cleanup.classic.ways import Command, NotSetUp, NoWay, Way, way_of
from cleanup.models import ClassicRun, ClassicStep, Timetable
from registries.models import Registry
from web.cleanup.stands import Stand, stands_of
from web.cleanup.work_row import WorkRow
from web.typed import keys

STEP_COLUMNS: Final = {"began": Column("id", int)}
# Names of programs are the same in every language.
TEMPLATE_NAMES: Final = {"docker": "Docker", "compose": "Compose", "systemd": "systemd", "kubernetes": "Kubernetes"}
_SHOWN: Final = 2_000  # characters of an output, its end
_State: Final = ClassicRun.State


@dataclass(frozen=True, slots=True)
class Part:
    """Commands of one kind."""

    name: str
    commands: Sequence[Command]


@dataclass(frozen=True, slots=True)
class WayStand:
    """A registry with its way, or with why it has none; `closed_for`: how long it was read-only the last time."""

    stand: Stand
    way: Way | None = None
    problem: str = ""
    is_broken: bool = False
    closed_for: timedelta | None = None

    @property
    def registry(self) -> Registry:
        return self.stand.registry

    @property
    def parts(self) -> list[Part]:
        """In the order in which they run."""
        if self.way is None:
            return []
        found = [
            Part(gettext("Dry run"), [self.way.dry_run]),
            Part(gettext("Read-only on"), self.way.read_only_on),
            Part(gettext("Garbage collection"), [self.way.collect]),
            Part(gettext("Read-only off"), self.way.read_only_off),
            Part(gettext("Restart, after either"), self.way.restart),
        ]
        return [part for part in found if part.commands]

    @property
    def variables(self) -> list[str]:
        """The names alone: their values may be secrets."""
        return sorted(self.way.variables) if self.way else []


def way_stands(registries: Sequence[Registry]) -> list[WayStand]:
    """Those that have a way first. Three queries, and the files of commands are read."""
    closed = last_closed(registries)
    found = [
        _with_way(stand, closed.get(stand.registry.pk))
        for stand in stands_of(registries, ClassicRun, Timetable.Work.COLLECT)
    ]
    return sorted(found, key=lambda one: one.way is None)


def last_closed(registries: Sequence[Registry]) -> dict[int, timedelta]:
    """How long each was read-only for its last run, by its key."""
    opened = ClassicRun.objects.filter(registry=OuterRef("pk"), closed_at__isnull=False, opened_at__isnull=False)
    newest = Registry.objects.filter(pk__in=[row.pk for row in registries]).values_list(
        Subquery(opened.newest_first().values("pk")[:1])
    )
    runs = ClassicRun.objects.filter(pk__in=newest).only("registry_id", "closed_at", "opened_at")
    return {run.registry_id: run.closed_for for run in runs if run.closed_for is not None}


def template_of(kind: str) -> tuple[str, str]:
    """The kind and the file to be adapted; the first where that is none."""
    chosen = kind if kind in TEMPLATES else next(iter(TEMPLATE_NAMES))
    return chosen, TEMPLATES[chosen]


class CommandsPage:
    """One run. `step` is the command whose output was asked for."""

    def __init__(self, request: HttpRequest, run: ClassicRun) -> None:
        self.row = WorkRow(run)
        self._token = request.GET.get("page")
        self._step = keys([request.GET.get("step", "")])

    @property
    def run(self) -> ClassicRun:
        return self.row.run

    @cached_property
    def steps(self) -> Page[ClassicStep]:
        """Without what each printed."""
        return paged(self.run.steps.all(), Order.parse(None, STEP_COLUMNS), self._token, whole=_without_output)

    @cached_property
    def step(self) -> ClassicStep | None:
        return self.run.steps.filter(pk__in=self._step).first() if self._step else None

    @property
    def output(self) -> str:
        """The end of what it printed, whole lines where it has such."""
        if self.step is None or not self.is_output_cut:
            return self.step.output if self.step else ""
        end = self.step.output[-_SHOWN:]
        return end.partition("\n")[2] or end

    @property
    def is_output_cut(self) -> bool:
        return self.step is not None and len(self.step.output) > _SHOWN

    @property
    def is_over(self) -> bool:
        return self.row.job is None

    @property
    def may_open(self) -> bool:
        """The registry may still be read-only, and nobody is at it."""
        return self.is_over and self.run.is_closed

    @property
    def may_collect(self) -> bool:
        """It was only planned, or broke off."""
        return self.is_over and not self.run.is_closed and self.run.state in {_State.PLANNED, _State.BROKEN_OFF}

    @property
    def is_planned(self) -> bool:
        """A dry run has said what there is."""
        return self.run.doomed is not None

    @property
    def was_removed(self) -> bool:
        return self.run.state == _State.DONE and self.run.collected_at is not None


def _with_way(stand: Stand, closed_for: timedelta | None) -> WayStand:
    try:
        return WayStand(stand, way_of(stand.registry), closed_for=closed_for)
    except NotSetUp as reason:
        return WayStand(stand, problem=reason.sentence)
    except NoWay as reason:
        return WayStand(stand, problem=reason.sentence, is_broken=True)


def _without_output(steps: QuerySet[ClassicStep]) -> QuerySet[ClassicStep]:
    return steps.defer("output")
