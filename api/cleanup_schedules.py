"""When cleanup is due by itself: one schedule a registry and kind of work, by hand where nobody has said so."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Moment, Url, answer, done_answer, moment
from api.door import acts, person_of, reads
from api.links import origin_of
from api.orders import Order
from api.parameters import Text
from api.problems import Refusal
from cleanup import timetables
from cleanup.models import Timetable
from cleanup.untagged.services import GRACE, MOST_GRACE
from jobs.schedule import InvalidSchedule, Schedule, When
from registries.models import Registry

_PATH: Final = "/registries/{registry}/cleanup-schedules/{work}"

router = Router(tags=["Cleanup"])


class ScheduleLinks(TypedDict):
    self: Url


class CleanupScheduleJson(TypedDict):
    """When it is due."""

    registry: Annotated[str, Field(examples=["local"])]
    work: Annotated[str, Field(description="untagged or garbage-collect.")]
    when: Annotated[str, Field(description="by-hand, every or cron.")]
    every: Annotated[int, Field(description="Minutes; of every.")]
    cron: Annotated[str, Field(description="Of cron: minute, hour, day, month, weekday.", examples=["30 4 * * *"])]
    zone: Annotated[str, Field(description="Of the cron line and the window.", examples=["UTC"])]
    window: Annotated[str, Field(description="Hours within which it begins; empty: all day.", examples=["22:00-06:00"])]
    grace_hours: Annotated[int | None, Field(description="Of untagged: what is younger stays.")]
    next_at: Annotated[Moment | None, Field(description="When it is due next; null: when somebody asks.")]
    links: ScheduleLinks


class ScheduleOrder(Order):
    """All of it: what is left out is as it is without a schedule."""

    when: str = Field(description="by-hand, every or cron.", examples=["cron"])
    every: int = Field(0, description="Minutes; of every.")
    cron: Text = Field("", description="Of cron: minute, hour, day, month, weekday.", examples=["30 4 * * *"])
    zone: Text = Field("UTC", description="Of the cron line and the window.")
    window: Text = Field("", description="Hours within which it begins; empty: all day.", examples=["22:00-06:00"])
    grace_hours: int = Field(GRACE, ge=0, le=MOST_GRACE, description="Of untagged: what is younger stays.")


@reads(router, _PATH, "api-cleanup-schedule", CleanupScheduleJson)
def read_schedule(request: HttpRequest, registry: Text, work: Timetable.Work) -> HttpResponse:
    """When untagged manifests are deleted, or the garbage is collected, by itself.

    `work` is untagged or garbage-collect.
    """
    return answer(request, schedule_json(request, _registry(registry), work))


@acts(router, "PUT", _PATH, "api-cleanup-schedule-set", {200: CleanupScheduleJson})
def set_schedule(request: HttpRequest, registry: Text, work: Timetable.Work, order: ScheduleOrder) -> HttpResponse:
    """Say when it is due.

    With `by-hand` it is not due by itself any more. It begins within its hours, and goes on after them.
    """
    row = _registry(registry)
    try:
        schedule = Schedule(When(order.when), order.cron, order.zone, order.every, order.window)
        timetables.save(row, work, schedule, person_of(request), grace_hours=order.grace_hours)
    except InvalidSchedule as error:
        raise Refusal.of(error.field, f"{error.text[:100]!r} is none") from error
    except ValueError as error:
        raise Refusal.of("when", "by-hand, every or cron") from error
    return done_answer(schedule_json(request, row, work))


def schedule_json(request: HttpRequest, registry: Registry, work: Timetable.Work) -> CleanupScheduleJson:
    row = Timetable.objects.filter(registry=registry, work=work).first()
    due = row.kept() if row else Schedule()
    grace = row.grace_hours if row and row.grace_hours is not None else GRACE
    return {
        "registry": registry.name,
        "work": work.value,
        "when": due.when.value,
        "every": due.every,
        "cron": due.cron,
        "zone": due.zone,
        "window": due.window,
        "grace_hours": grace if work is Timetable.Work.UNTAGGED else None,
        "next_at": moment(row.next_at) if row else None,
        "links": {
            "self": f"{origin_of(request)}{reverse('api-cleanup-schedule', args=[registry.name, work.value])}",
        },
    }


def _registry(name: str) -> Registry:
    return get_object_or_404(Registry.objects.active(), name=name)
