"""When a registry is cleaned up by itself: of each kind of work that has no rows of its own to say so, its schedule."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.schedule import InvalidSchedule, Schedule, When
from registries.models import Registry


class TimetableQuerySet(models.QuerySet["Timetable"]):
    def due(self, now: datetime) -> Self:
        return self.filter(next_at__lte=now, registry__retired_at=None)


class Timetable(models.Model):
    """Work that has none is done when somebody asks for it."""

    class Work(models.TextChoices):
        UNTAGGED = "untagged", _("Untagged manifests")
        COLLECT = "garbage-collect", _("Garbage collection")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="timetables", db_index=False)
    work = models.CharField(max_length=16, choices=Work.choices)
    schedule = models.JSONField()  # the fields of `jobs.schedule.Schedule`
    grace_hours = models.PositiveIntegerField(null=True, blank=True)  # of untagged manifests
    next_at = models.DateTimeField(null=True, blank=True)  # None: it is not due by itself
    set_by = models.CharField(max_length=255, blank=True)

    objects = TimetableQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "work"], name="timetables_one_of_a_work"),
        ]
        indexes = [models.Index(fields=["next_at"], name="timetables_by_due")]

    def __str__(self) -> str:
        return f"{self.work} of {self.registry_id}"

    def read(self) -> Schedule:
        """Raises InvalidSchedule where the row is of a newer Berth, or was changed by hand."""
        try:
            said: dict[str, Any] = {**self.schedule}
            schedule = Schedule(**{**said, "when": When(said["when"])})
        except (TypeError, KeyError, ValueError) as error:
            raise InvalidSchedule("when", str(self.schedule)[:100]) from error
        schedule.check()
        return schedule

    def kept(self) -> Schedule:
        """As `read`; by hand where that cannot be read, since then it is not due."""
        try:
            return self.read()
        except InvalidSchedule:
            return Schedule()


def written(schedule: Schedule) -> dict[str, Any]:
    """As `Timetable.read` understands it."""
    return {**asdict(schedule), "when": schedule.when.value}
