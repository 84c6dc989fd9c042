from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.services import request_scan
from jobs.models import Job
from registries.models import Registry


class Command(BaseCommand):
    help = "Scan a registry now (all of them, where none is named)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="*", help="the registry's name")
        parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="wait for the end this long")

    def handle(self, *args: Any, **options: Any) -> None:
        registries = Registry.objects.active()
        if options["name"]:
            registries = registries.filter(name__in=options["name"])
        unknown = set(options["name"]) - {registry.name for registry in registries}
        if unknown:
            raise CommandError(f"no registry is called {', '.join(sorted(unknown))}; `registry list` names them")
        if not registries:
            raise CommandError("there is no registry to scan; `registry add URL` adds one")
        jobs = [request_scan(registry, thorough=True) for registry in registries]
        for job, new in jobs:
            self.stdout.write(
                f"{job.title}: {'queued' if new else f'{job.get_state_display().lower()} already'} as job {job.pk}"
            )
        if options["wait"]:
            self._wait([job for job, _ in jobs], time.monotonic() + options["wait"])

    def _wait(self, jobs: list[Job], until: float) -> None:
        """Print how each ends. Fails when one fails, or does not end in time."""
        for job in jobs:
            while job.is_unfinished and job.state != Job.State.ASKING and time.monotonic() < until:
                time.sleep(0.2)
                job.refresh_from_db()
            self.stdout.write(f"{job.title}: {job.get_state_display().lower()}. {job.message}")
        if any(job.state != Job.State.DONE for job in jobs):
            raise CommandError("not every scan is done; the jobs page says why")
