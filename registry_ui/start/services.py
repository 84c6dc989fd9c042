"""The processes of Berth itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from registry_ui.start import probes
from registry_ui.start.options import Options, netloc, reachable
from registry_ui.start.supervisor import Service


def all_of(options: Options, settings: Mapping[str, str]) -> Iterator[Service]:
    """In the order of their start: pages, long jobs, short work, events, the clock.

    Long jobs get a few seconds to put down what they hold; a scan that is cut short goes on where it was.
    """
    python = (sys.executable, "-m")
    yield Service(
        "web",
        [
            *python,
            "gunicorn",
            "--config",
            "python:registry_ui.start.web",
            "--bind",
            netloc(options.bind, options.port),
        ],
        settings,
        ready=lambda: probes.answers(reachable(options.bind), options.port, "/healthz"),
        stage=2,
    )
    yield Service("jobs", [*python, "registry_ui.start.worker", "jobs", "2"], settings, stage=2)
    yield Service("soon", [*python, "registry_ui.start.worker", "soon", "1"], settings, stage=2)
    yield Service("events", [*python, "registry_ui.start.arrivals"], settings, stage=2)
    schedule = str(options.data / "beat-schedule")
    beat = ("celery", "--quiet", "-A", "registry_ui", "beat", "--schedule", schedule, "--pidfile", "")
    yield Service("beat", [*python, *beat], settings, stage=2)
