"""A registry whose storage folder Berth knows, for tests of sweeps: what is pushed, swept, and still whole."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from django.utils import timezone

from cleanup.models import Sweep, SweepTerms
from cleanup.sweeping import services
from cleanup.sweeping.services import Times
from jobs import running
from jobs.models import Job
from registries.models import Registry
from tests.pushing import Pusher
from tests.storage_layout import StorageLayout
from tests.web import furniture as make

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.real_registry import RealRegistry

AT_ONCE = Times(grace_seconds=3600, settle_seconds=0, hold_seconds=0)
_ACCEPT = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"


class SweptRegistry:
    """`real` in Berth's database, as one process with a cache of `cache`."""

    def __init__(self, real: RealRegistry, cache: str = "none", redis_url: str = "", url: str = "") -> None:
        """`url`: where Berth reaches it, if that is elsewhere."""
        self.real, self.url = real, real.url
        self.layout = StorageLayout(real.storage)
        self.row = Registry.objects.create(name="main", url=url or real.url, storage=str(real.storage))
        SweepTerms.objects.create(registry=self.row, processes="one", cache=cache, redis_url=redis_url)

    def push(self, repository: str = "team/app") -> Pusher:
        return Pusher(self.url, repository)

    def delete(self, repository: str, digest: str) -> None:
        """The manifest, through the API, as anybody would."""
        request = urllib.request.Request(f"{self.url}/v2/{repository}/manifests/{digest}", method="DELETE")
        urllib.request.urlopen(request, timeout=10).close()

    def age(self, hours: float = 48) -> None:
        """Everything in the storage was written so long ago."""
        moment = time.time() - hours * 3600
        for path in self.layout.base.rglob("*"):
            os.utime(path, (moment, moment))

    def sweep(self, times: Times = AT_ONCE, *, only_plan: bool = False) -> tuple[Sweep, Job]:
        sweep, job = services.begin(self.row, here=True, times=times, only_plan=only_plan)
        return self.carry(sweep, job)

    def begin(self) -> tuple[Sweep, Job]:
        return services.begin(self.row, here=True, times=AT_ONCE)

    def undo(self, sweep: Sweep) -> tuple[Sweep, Job]:
        return self.carry(sweep, services.undo(sweep, make.person("mara", staff=True), here=True))

    def take_by_hand(self, digest: str, repository: str = "team/app") -> None:
        """Unlink a blob and move its data aside, as a sweep does it."""
        request = urllib.request.Request(f"{self.url}/v2/{repository}/blobs/{digest}", method="DELETE")
        urllib.request.urlopen(request, timeout=10).close()
        data = self.layout.data(digest).parent
        target = self.real.storage / "berth-aside/sha256" / data.name
        target.parent.mkdir(parents=True, exist_ok=True)
        data.rename(target)

    def carry(self, sweep: Sweep, job: Job) -> tuple[Sweep, Job]:
        running.run_here(job.pk)
        job.refresh_from_db()
        return Sweep.objects.get(pk=sweep.pk), job

    def carry_on(self, sweep: Sweep) -> tuple[Sweep, Job]:
        return self.carry(sweep, services.carry_on(sweep, here=True))

    def make_due(self, sweep: Sweep) -> None:
        """Its holding time is over."""
        Sweep.objects.filter(pk=sweep.pk).update(resumes_at=timezone.now())
        services.finish_due(timezone.now())
        job = Job.objects.unfinished().get(kind="sweep")
        running.run_here(job.pk)

    @property
    def aside(self) -> set[str]:
        return {f"sha256:{path.parent.name}" for path in self.real.storage.glob("berth-aside/sha256/*/data")}

    @property
    def blobs(self) -> set[str]:
        """The digests of all data that the registry has."""
        return {f"sha256:{path.parent.name}" for path in self.layout.blobs.glob("sha256/*/*/data")}

    @property
    def stored(self) -> int:
        """Bytes of them."""
        return sum(path.stat().st_size for path in self.layout.blobs.glob("sha256/*/*/data"))

    def pull_all(self, folder: Path, names: Iterable[str]) -> None:
        """Each of `names`, "repository:tag", with all its platforms, by skopeo."""
        folder.mkdir(exist_ok=True)
        for number, name in enumerate(names):
            target = folder / str(number)
            host = self.url.removeprefix("http://")
            line = ["skopeo", "copy", "--all", "--src-tls-verify=false", f"docker://{host}/{name}", f"dir:{target}"]
            done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr

    def blob_is_whole(self, repository: str, digest: str) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/v2/{repository}/blobs/{digest}", timeout=10) as answer:
                return bool(answer.read())
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return False

    def blobs_of(self, repository: str, target: str) -> list[str]:
        """The config and layers of an image."""
        request = urllib.request.Request(f"{self.url}/v2/{repository}/manifests/{target}", headers={"Accept": _ACCEPT})
        with urllib.request.urlopen(request, timeout=10) as answer:
            document = json.load(answer)
        return [document["config"]["digest"], *(layer["digest"] for layer in document["layers"])]
