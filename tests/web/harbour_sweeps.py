"""Sweeps for the walk: one of each state, and terms of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from cleanup.models import Sweep, SweepTerms, SweptBlob, SweptUpload
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make

State = SweptBlob.State
_MEGABYTE: Final = 1_000_000
_REPOSITORIES: Final = ("platform/api", "ml/embedder", "data/warehouse/loader", "payments/ledger", "base/python")
_UUID: Final = "3f8a2c1e-77b0-4d19-9f52-0c4e8d1b6a7"


@dataclass(frozen=True)
class Sweeps:
    """Each in another state."""

    planned: Sweep
    under_way: Sweep
    holding: Sweep
    done: Sweep
    refused: Sweep


def build(where: Registry, edge: Registry) -> Sweeps:
    now = timezone.now()
    hour = timedelta(hours=1)
    Registry.objects.filter(pk=edge.pk).update(storage="/srv/registry")
    SweepTerms.objects.create(
        registry=where, processes="one", cache="inmemory", when="cron", cron="30 3 * * 6", zone="Asia/Seoul",
        window="01:00-05:00", next_at=now + 40 * hour,
    )  # fmt: skip
    refused = sweep(
        edge,
        Sweep.State.BROKEN_OFF,
        message=(
            "Nobody has said how many processes of the registry serve its storage: with several, each with a memory of"
            " its own, a sweep would leave what they remember wrong. Say it in the terms of its sweeps. Nothing was"
            " deleted."
        ),
        ended_at=now - 30 * hour,
    )
    done = sweep(
        where,
        Sweep.State.DONE,
        message="36 blobs were deleted, 4,291,811,328 bytes. 4 are used again and stay.",
        began_at=now - 60 * hour,
        ended_at=now - 36 * hour,
    )
    _blobs(done, State.DELETED, State.DELETED, State.DELETED, State.KEPT, State.DELETED)
    holding = sweep(
        where,
        Sweep.State.HOLDING,
        message="30 blobs, 3,801,088,000 bytes, are moved aside, and deleted after 2026-11-29 04:10 UTC. 10 are used"
        " again and stay.",
        left_uploads=2,
        upload_bytes=231_211_008,
        began_at=now - 5 * hour,
        resumes_at=now + 19 * hour,
    )
    _blobs(holding, State.ASIDE, State.ASIDE, State.KEPT, State.ASIDE)
    _uploads(holding, removed=True)
    planned = sweep(
        where,
        Sweep.State.PLANNED,
        message="Planned: 40 blobs, 4,291,811,328 bytes, and 2 uploads that were left, 231,211,008 bytes. Nothing was"
        " deleted.",
        left_uploads=2,
        upload_bytes=231_211_008,
    )
    _blobs(planned, State.PLANNED)
    _uploads(planned, removed=False)
    job = make.job(
        where,
        Job.State.RUNNING,
        kind="sweep",
        title="Sweep of local",
        started_at=now - timedelta(seconds=74),
        progress={"phase": "unlinking", "repositories": [19, 19], "blobs": [24, 40]},
    )
    under_way = sweep(where, Sweep.State.UNDER_WAY, job=job, began_at=now - timedelta(seconds=70))
    _blobs(under_way, State.ASIDE, State.BEGUN, State.PLANNED)
    return Sweeps(planned, under_way, holding, done, refused)


def sweep(where: Registry, state: Sweep.State, **more: Any) -> Sweep:
    is_planned = state != Sweep.State.BROKEN_OFF
    found = {"found": 40, "found_bytes": 4_291_811_328, "manifests": 18_402, "planned_at": timezone.now()}
    times = {"grace_seconds": 86_400, "settle_seconds": 60, "hold_seconds": 86_400}
    given = {"actor": "mara", **times, **(found if is_planned else {}), **more}
    return Sweep.objects.create(registry=where, state=state, **given)


def _blobs(of: Sweep, *states: State) -> None:
    for number in range(40):
        digest = make.blob_digest(f"swept {number}")
        links = [[name, digest] for name in _REPOSITORIES[: 1 + number % 5]] if number % 7 else []
        size = (number * 37 % 211 + 1) * _MEGABYTE
        SweptBlob.objects.create(sweep=of, digest=digest, size=size, links=links, state=states[number % len(states)])


def _uploads(of: Sweep, *, removed: bool) -> None:
    at = timezone.now() if removed else None
    long = "odd/a-repository-whose-name-goes-on-for-as-long-as-it-may/and-then-further"
    for number, name in enumerate(("ml/embedder", long)):
        SweptUpload.objects.create(sweep=of, repository=name, uuid=f"{_UUID}{number}", size=115_605_504, removed_at=at)
