"""What an admin says of a registry so that it can be swept while it runs. The address of its cache is never told."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from ninja import Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Moment, answer, done_answer, moment
from api.door import acts, person_of, reads
from api.orders import Order
from api.parameters import Text
from api.problems import Refusal
from cleanup.models import SweepTerms
from cleanup.sweeping.ground import terms_of
from cleanup.sweeping.terms import LONGEST_URL, Details, InvalidTerms, lacks, save
from jobs.schedule import Schedule, When
from registries.models import Registry

_PARTS: Final = frozenset({"when", "cron", "zone", "every", "window"})  # of a schedule

router = Router(tags=["Sweeps"])

Processes = Annotated[
    Literal["", "one", "several"],
    Field(description="That serve its storage; empty: nobody has said, and it is not swept while it runs."),
]
Cache = Annotated[
    Literal["", "none", "inmemory", "redis"],
    Field(description="Its cache of blob descriptors; empty: nobody has said, and a trial before each sweep tells."),
]


class ScheduleJson(TypedDict):
    when: Literal["by-hand", "cron", "every"]
    cron: Annotated[str, Field(description="Five fields.", examples=["30 4 * * 6"])]
    zone: Annotated[str, Field(description="Of the cron line and the window.", examples=["Asia/Seoul"])]
    every: Annotated[int, Field(description="Minutes.")]
    window: Annotated[str, Field(description="Hours in which a sweep begins.", examples=["01:00-05:00"])]


class SweepTermsJson(TypedDict):
    registry: Annotated[str, Field(examples=["local"])]
    processes: Processes
    cache: Cache
    has_redis_url: Annotated[bool, Field(description="The address of its cache is kept; it is never told.")]
    grace_seconds: int
    settle_seconds: int
    hold_seconds: int
    schedule: ScheduleJson
    next_at: Annotated[Moment | None, Field(description="When it is due; null: when somebody asks.")]
    lacks: Annotated[
        str | None, Field(description="Why it cannot be swept while it runs, as far as is known without asking it.")
    ]


class ScheduleOrder(Order):
    when: Literal["by-hand", "cron", "every"] | None = None
    cron: Annotated[str, Field(max_length=200)] | None = None
    zone: Annotated[str, Field(max_length=64)] | None = None
    every: int | None = Field(default=None, ge=0, le=2**31 - 1, description="Minutes.")
    window: Annotated[str, Field(max_length=20)] | None = None


class SweepTermsOrder(Order):
    """What is left out, or null, stays as it is."""

    processes: Processes | None = None
    cache: Cache | None = None
    redis_url: Annotated[str, Field(max_length=LONGEST_URL)] | None = Field(
        default=None, description="redis://[user:password@]host:6379/0, as Berth reaches it. It is stored encrypted."
    )
    grace_seconds: int | None = Field(default=None, description="What is younger is left alone: at least 3,600.")
    settle_seconds: int | None = Field(default=None, description="How long a sweep waits before it looks again.")
    hold_seconds: int | None = Field(default=None, description="How long what was moved aside can be put back.")
    schedule: ScheduleOrder = Field(default_factory=ScheduleOrder)

    def details(self, terms: SweepTerms) -> Details:
        due = self.schedule
        return Details(
            processes=_or(self.processes, terms.processes),
            cache=_or(self.cache, terms.cache),
            redis_url=self.redis_url or None,
            grace_seconds=_or(self.grace_seconds, terms.grace_seconds),
            settle_seconds=_or(self.settle_seconds, terms.settle_seconds),
            hold_seconds=_or(self.hold_seconds, terms.hold_seconds),
            schedule=Schedule(
                when=When(_or(due.when, terms.when)),
                cron=_or(due.cron, terms.cron),
                zone=_or(due.zone, terms.zone),
                every=_or(due.every, terms.every),
                window=_or(due.window, terms.window),
            ),
        )


@reads(router, "/registries/{registry}/sweep-terms", "api-sweep-terms", SweepTermsJson)
def read_terms(request: HttpRequest, registry: Text) -> HttpResponse:
    """How a registry may be swept while it runs.

    Where nobody has said anything, what is meant by that.
    """
    return answer(request, _told(_registry(registry)))


@acts(router, "PUT", "/registries/{registry}/sweep-terms", "api-sweep-terms-change", {200: SweepTermsJson})
def change_terms(request: HttpRequest, registry: Text, order: SweepTermsOrder) -> HttpResponse:
    """Say how a registry may be swept while it runs.

    What is left out stays as it is. Of Berth's own local registry the processes and the cache are known.
    """
    row = _registry(registry)
    with translation.override("en"):
        try:
            save(row, order.details(terms_of(row)), person_of(request))
        except InvalidTerms as error:
            field = f"schedule.{error.field}" if error.field in _PARTS else error.field
            raise Refusal.of(field, str(error)) from error
    return done_answer(_told(row), 200)


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _registry(name: str) -> Registry:
    return get_object_or_404(Registry.objects.active(), name=name)


def _told(registry: Registry) -> SweepTermsJson:
    terms = terms_of(registry)
    return {
        "registry": registry.name,
        "processes": terms.processes,  # type: ignore[typeddict-item]  # those of the column
        "cache": terms.cache,  # type: ignore[typeddict-item]
        "has_redis_url": bool(terms.redis_url),
        "grace_seconds": terms.grace_seconds,
        "settle_seconds": terms.settle_seconds,
        "hold_seconds": terms.hold_seconds,
        "schedule": {
            "when": terms.when,  # type: ignore[typeddict-item]
            "cron": terms.cron,
            "zone": terms.zone,
            "every": terms.every,
            "window": terms.window,
        },
        "next_at": moment(terms.next_at),
        "lacks": lacks(registry, terms) or None,
    }
