"""Runs of sweeps by commands, carried out where the test stands."""

from __future__ import annotations

from typing import Any

from catalog.services import request_scan
from cleanup.classic import services
from cleanup.models import ClassicRun
from jobs import running
from jobs.models import Job
from registries.models import Registry


def carried_out(registry: Registry, **more: Any) -> tuple[ClassicRun, Job]:
    """A run, carried out here, as it ended."""
    run, job = services.begin(registry, here=True, **more)
    return seen_through(run, job)


def seen_through(run: ClassicRun, job: Job) -> tuple[ClassicRun, Job]:
    running.run_here(job.pk)
    job.refresh_from_db()
    run = ClassicRun.objects.select_related("registry").get(pk=run.pk)
    return run, job


def kinds(run: ClassicRun) -> list[str]:
    """The steps in order, each with how it ended where that was not well."""
    return [step.kind if step.state == "done" else f"{step.kind} {step.state}" for step in run.steps.in_order()]


def scanned(registry: Registry) -> None:
    """What it holds now is in the catalog."""
    job, _ = request_scan(registry, None)
    running.run_here(job.pk)
