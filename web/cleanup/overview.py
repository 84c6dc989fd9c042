"""The overview of cleanup: of each registry its newest run of each kind, what lies aside, and what is not well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Count, Model, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from cleanup.health import broken_tags
from cleanup.models import ClassicRun, Halt, Policy, RetentionRun, Sweep, SweptBlob, UntaggedRun
from registries.models import Registry
from web.cleanup.sweep_places import Place, places

_TONES: Final = {"done": "ok", "broken-off": "danger", "stuck": "danger", "holding": "warn", "asking": "warn"}


@dataclass(frozen=True, slots=True)
class Way:
    """A way of cleaning up: `page` is the URL name of all its runs, `one` that of a single one."""

    name: str
    title: Promise
    words: Promise
    page: str
    one: str
    runs: type[Model]


WAYS: Final = (
    Way(
        "retention",
        gettext_lazy("Retention"),
        gettext_lazy("deletes tags that no policy keeps"),
        "cleanup-policies",
        "cleanup-run",
        RetentionRun,
    ),
    Way(
        "untagged",
        gettext_lazy("Untagged manifests"),
        gettext_lazy("deletes manifests that nothing reaches"),
        "cleanup-untagged",
        "cleanup-untagged-run",
        UntaggedRun,
    ),
    Way(
        "sweep",
        gettext_lazy("Sweep"),
        gettext_lazy("frees the space of layers, while the registry runs"),
        "sweeps",
        "sweep",
        Sweep,
    ),
    Way(
        "collection",
        gettext_lazy("Garbage collection"),
        gettext_lazy("the same by commands, while it is read-only"),
        "cleanup-commands",
        "cleanup-commands-run",
        ClassicRun,
    ),
)


@dataclass(frozen=True, slots=True)
class Last:
    """The newest run of a way in a registry; `run` is None where there was none."""

    way: Way
    run: Any = None

    @property
    def state(self) -> str:
        if self.run is None:
            return ""
        job = self.run.job
        return gettext("Under way") if job is not None and job.is_moving else self.run.get_state_display()

    @property
    def tone(self) -> str:
        if self.run is None:
            return ""
        job = self.run.job
        return "info" if job is not None and job.is_moving else _TONES.get(self.run.state, "")

    @property
    def frees(self) -> int:
        """Bytes that it would free: of a plan that nobody has carried out."""
        if self.run is None or self.run.state not in {"planned", "asking"}:
            return 0
        match self.run:
            case Sweep():
                return self.run.found_bytes + self.run.upload_bytes
            case ClassicRun():
                return self.run.doomed_size
            case RetentionRun() | UntaggedRun():
                return self.run.frees
        return 0


@dataclass(slots=True)
class Standing:
    """How one registry stands."""

    place: Place
    lasts: list[Last] = field(default_factory=list)
    policies: int = 0
    broken: int = 0  # tags
    aside: int = 0  # blobs, and
    aside_bytes: int = 0

    @property
    def registry(self) -> Registry:
        return self.place.registry

    @property
    def halt(self) -> Halt | None:
        return self.place.halt

    @property
    def state(self) -> str:
        """In a word or two; nothing where all is well."""
        if self.halt:
            return gettext("Sweeps are stopped")
        return gettext("Broken images") if self.broken else ""


def standings(registries: Sequence[Registry]) -> list[Standing]:
    """In the order of the registries; seven queries, however many there are."""
    rows = {place.registry.pk: Standing(place) for place in places(registries)}
    for way in WAYS:
        newest = {run.registry_id: run for run in _newest(way, registries)}
        for pk, standing in rows.items():
            standing.lasts.append(Last(way, newest.get(pk)))
    for pk, *counts in _counts(registries):
        standing = rows[pk]
        standing.broken, standing.policies, standing.aside, standing.aside_bytes = counts
    return list(rows.values())


def _newest(way: Way, registries: Sequence[Registry]) -> QuerySet[Any]:
    manager: Any = way.runs._default_manager  # noqa: SLF001  of whichever kind
    of_it = manager.filter(registry=OuterRef("pk")).newest_first().values("pk")[:1]
    mine = Registry.objects.filter(pk__in=[row.pk for row in registries])
    found: QuerySet[Any] = manager.filter(pk__in=mine.values_list(Subquery(of_it))).select_related("job")
    return found


def _counts(registries: Sequence[Registry]) -> list[tuple[int, ...]]:
    """Of each its key, broken tags, policies that are on, and what lies aside: blobs and their bytes."""
    broken = broken_tags(registries).filter(registry=OuterRef("pk")).order_by().values("registry")
    policies = Policy.objects.filter(registry=OuterRef("pk"), is_on=True).order_by().values("registry")
    aside = SweptBlob.objects.filter(state=SweptBlob.State.ASIDE, sweep__registry=OuterRef("pk")).order_by()
    of_each = aside.values("sweep__registry")
    counted = Registry.objects.filter(pk__in=[row.pk for row in registries]).annotate(
        broken=Coalesce(Subquery(broken.annotate(all=Count("pk")).values("all")), 0),
        on=Coalesce(Subquery(policies.annotate(all=Count("pk")).values("all")), 0),
        aside=Coalesce(Subquery(of_each.annotate(all=Count("pk")).values("all")), 0),
        aside_bytes=Coalesce(Subquery(of_each.annotate(all=Sum("size")).values("all")), 0),
    )
    return list(counted.values_list("pk", "broken", "on", "aside", "aside_bytes"))
