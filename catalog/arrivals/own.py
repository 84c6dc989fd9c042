"""Which events Berth itself has caused: they are counted, and what they did is recorded where it was done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from catalog.arrivals.told import Told
from catalog.models import Tag, Throwaway
from catalog.scan import KIND as SCAN
from jobs.models import Job
from registries.own_requests import asker_of

_LATE: Final = timedelta(hours=1)  # after the end of a job its events may still come
_DAYS: Final = timedelta(days=2)
_OVERLAP: Final = timedelta(minutes=1)


class Own:
    """Of one batch."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job | None] = {}

    def has_caused(self, told: Told) -> bool:
        """Not what only shows our name: a push or a delete has to be one that Berth set out for."""
        if self._is_of_throwaway(told):
            return True
        asker = asker_of(told.registry_id, told.event.user_agent)
        if not asker or not self._is_alive(asker):
            return False
        if told.event.action == "pull":
            return True
        job = self._jobs.get(asker)
        return job is not None and job.kind != SCAN and self._was_set_out_for(told, job)

    def _is_alive(self, asker: str) -> bool:
        kind, _, name = asker.partition("-")
        now = timezone.now()
        if kind == "day":
            day = datetime.fromisoformat(name).replace(tzinfo=UTC)
            return now - _DAYS <= day <= now + _OVERLAP
        if asker not in self._jobs:
            lately = Q(finished_at=None) | Q(finished_at__gte=now - _LATE)
            self._jobs[asker] = Job.objects.filter(lately, pk=int(name)).first()
        return self._jobs[asker] is not None

    @staticmethod
    def _was_set_out_for(told: Told, job: Job) -> bool:
        """A tag that Berth has changed since the job began. A digest that is deleted takes tags along, or nothing."""
        if not told.tag:
            return True
        began = (job.started_at or job.created_at) - _OVERLAP
        tags = Tag.objects.filter(name=told.tag, repository__name=told.repository, repository__registry=told.registry)
        row = tags.values_list("acted_at").first()
        # A tag that is put for the first time has no row until it is there.
        return row is None or (row[0] is not None and row[0] >= began)

    @staticmethod
    def _is_of_throwaway(told: Told) -> bool:
        if told.event.action not in {"push", "delete"} or not told.digest:
            return False
        return Throwaway.objects.filter(digest=told.digest, repository__registry=told.registry).exists()
