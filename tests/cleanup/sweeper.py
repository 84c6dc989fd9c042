"""A process that sweeps the registry of a database again and again, until it is told to end; it may be killed.

`--prepare STORAGE` says what has to be known, `--last` sweeps once more and counts what all sweeps did.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import timedelta

import django

django.setup()

from django.db.models import Count  # noqa: E402  they need Django
from django.utils import timezone  # noqa: E402

from cleanup.models import Sweep, SweepTerms, SweptBlob  # noqa: E402
from cleanup.sweeping import services as sweeps  # noqa: E402
from jobs import running, services  # noqa: E402
from jobs.models import Job  # noqa: E402
from registries.models import Registry  # noqa: E402


def prepare(storage: str) -> None:
    Registry.objects.update(storage=storage)
    registry = Registry.objects.get()
    times = {"grace_seconds": 1, "settle_seconds": 1, "hold_seconds": 1}
    SweepTerms.objects.create(registry=registry, processes="one", cache="inmemory", **times)


def sweep_once() -> None:
    """What was left by one that was killed first, as the sweep of jobs would find it."""
    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    for job in Job.objects.filter(state=Job.State.QUEUED):
        running.run(job.pk)
    sweeps.finish_due(timezone.now())
    _, job = sweeps.begin(Registry.objects.get(), here=True)
    running.run(job.pk)


def counts() -> dict[str, int]:
    by_state = dict(SweptBlob.objects.values_list("state").annotate(n=Count("pk")))
    told = {f"blobs {state}": n for state, n in by_state.items()}
    told["sweeps"] = Sweep.objects.count()
    told |= {f"jobs {state}": n for state, n in Job.objects.values_list("state").annotate(n=Count("pk"))}
    return told


def main() -> None:
    if "--prepare" in sys.argv:
        prepare(sys.argv[-1])
        return
    if "--last" in sys.argv:
        sweep_once()
        while Sweep.objects.exclude(resumes_at=None).update(resumes_at=timezone.now()):
            sweep_once()
        sys.stdout.write(json.dumps(counts()))
        return
    over = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    while not over.is_set():
        sweep_once()


if __name__ == "__main__":
    main()
