"""A process that sweeps a registry again and again, each time killed one step later, and then has the sweep resumed.

    python -m tests.cleanup.killing_sweeps URL STORAGE [--step request|write|file]

BERTH_DATA holds a database that knows the registry. Each request, each statement that writes, and each change of a
file is a step. While the first blob is unlinked somebody's manifest that names it is accepted. Prints a line of JSON
for each kill.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from contextlib import nullcontext
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from tests.killing import Countdown, each_write, forked, killed_everywhere, load
from tests.pushing import Pusher
from tests.storage_layout import StorageLayout

LOADED = ("jobs.tasks", "cleanup.tasks", "cleanup.sweeping.services", "requests", "audit.models", "redis")
_UPLOAD = "00000001-0000-4000-8000-000000000000"
_FILES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"})
_ACCEPT = "application/vnd.oci.image.manifest.v1+json"


def prepare(storage: str) -> None:
    from cleanup.models import SweepTerms
    from registries.models import Registry

    registry = Registry.objects.get(name="test")
    Registry.objects.update(storage=storage)
    SweepTerms.objects.create(
        registry=registry, processes="one", cache="inmemory", grace_seconds=3600, settle_seconds=0, hold_seconds=0
    )


def litter(url: str, storage: Path, number: int) -> bytes:
    """Two images whose manifests are deleted, and an upload that was left; the bytes of the manifest of the first."""
    app = Pusher(url, f"run-{number}/app")
    app.image("kept", seed=f"kept {number}", layers=[b"base", b"kept %d" % number])
    doomed = [app.image(seed=f"{name} {number}", layers=[b"base", f"{name} {number}".encode()]) for name in "ab"]
    manifest = app.fetch(doomed[0])
    for digest in doomed:
        request = urllib.request.Request(f"{url}/v2/{app.repository}/manifests/{digest}", method="DELETE")
        urllib.request.urlopen(request, timeout=10).close()
    StorageLayout(storage).upload(app.repository, _UPLOAD, b"half", "2026-01-01T00:00:00Z")
    moment = time.time() - 48 * 3600
    for path in storage.rglob("*"):
        os.utime(path, (moment, moment))
    return manifest


def carry(kind: str, pusher: Pusher, manifest: bytes, countdown: Countdown) -> None:
    from cleanup.sweeping import services
    from jobs import running
    from registries.models import Registry

    raced = [f"DELETE /v2/{pusher.repository}/blobs/".encode()]

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "http.client.send":
            line = bytes(arguments[1][:200])
            if raced and line.startswith(raced[0]):
                raced.clear()
                pusher.manifest(manifest, "raced")
            elif kind == "request" and b" /v2/" in line and b"/manifests/raced" not in line:
                countdown.step()
        elif kind == "file" and event in _FILES:
            countdown.step()

    _, job = services.begin(Registry.objects.get(), here=True)
    sys.addaudithook(on_event)
    with each_write(countdown.step) if kind == "write" else nullcontext():
        running.run(job.pk)


def resume(pusher: Pusher, storage: Path) -> dict[str, Any]:
    """As the sweep of jobs and a worker would."""
    from datetime import timedelta

    from django.utils import timezone

    from audit.models import Entry
    from cleanup.models import Sweep, SweptBlob
    from cleanup.sweeping import services as sweeps
    from jobs import running, services
    from jobs.models import Job
    from registries.models import Registry

    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    _, job = sweeps.begin(Registry.objects.get(), here=True)
    running.run(job.pk)
    job.refresh_from_db()
    return {
        "message": job.message if job.state != Job.State.DONE else "",
        "state": Sweep.objects.newest_first()[0].state,
        "kept": _standing(pusher, "kept"),
        "raced": _standing(pusher, "raced"),
        "aside": len(list(storage.glob("berth-aside/sha256/*/data"))),
        "unsettled": SweptBlob.objects.unsettled().count(),
        "trials": len(list(storage.glob("docker/registry/v2/repositories/berth-trial/*"))),
        "garbage": _garbage(storage, pusher),
        "uploads": len(list(storage.glob(f"docker/registry/v2/repositories/{pusher.repository}/_uploads/{_UPLOAD}"))),
        "told of uploads": Entry.objects.filter(
            act=Entry.Act.CLEAR_UPLOADS, repository=pusher.repository, count=1
        ).count(),
    }


def _standing(pusher: Pusher, tag: str) -> str:
    content = _got(f"{pusher.url}/v2/{pusher.repository}/manifests/{tag}")
    if content is None:
        return "absent"
    document = json.loads(content)
    blobs = [document["config"], *document["layers"]]
    whole = all(_got(f"{pusher.url}/v2/{pusher.repository}/blobs/{blob['digest']}") for blob in blobs)
    return "whole" if whole else "broken"


def _garbage(storage: Path, pusher: Pusher) -> int:
    """Blobs of this run that are there, and that neither image names."""
    named = b"".join(
        _got(f"{pusher.url}/v2/{pusher.repository}/manifests/{tag}") or b"" for tag in ("kept", "raced")
    ).decode()
    layers = storage / "docker/registry/v2/repositories" / pusher.repository / "_layers/sha256"
    return sum(path.parent.name not in named for path in layers.glob("*/link"))


def _got(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": _ACCEPT}), timeout=10) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("storage", type=Path)
    parser.add_argument("--step", default="request")
    given = parser.parse_args()
    data = load(*LOADED)
    assert forked(partial(prepare, str(given.storage))) == 0
    numbers = count()
    now: dict[str, Any] = {}

    def before_each() -> None:
        number = next(numbers)
        now["pusher"] = Pusher(given.url, f"run-{number}/app")
        now["manifest"] = litter(given.url, given.storage, number)

    killed_everywhere(
        data,
        lambda countdown: carry(given.step, now["pusher"], now["manifest"], countdown),
        lambda: resume(now["pusher"], given.storage),
        before_each,
        is_sampled=True,
    )


if __name__ == "__main__":
    main()
