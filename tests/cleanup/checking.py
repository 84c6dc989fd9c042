"""A real registry with images, what breaks them in its storage, and checks of it in the process of the test."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from catalog.models import Scan
from cleanup.models import Check, CheckFinding
from cleanup.verifying import services
from cleanup.verifying.terms import Terms
from jobs import running
from jobs.models import Job
from registries.models import Registry
from tests.catalog.scanning import scan
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.storage_layout import StorageLayout

REPOSITORY = "team/app"


class Checking:
    def __init__(self, real: RealRegistry, *, by_folder: bool = False, url: str = "", name: str = "test") -> None:
        """`url`: where Berth reaches it, if that is not itself."""
        self.real = real
        storage = str(real.storage) if by_folder else ""
        self.row = Registry.objects.create(name=name, url=url or real.url, storage=storage)
        self.push = Pusher(real.url, REPOSITORY)

    @property
    def stored(self) -> StorageLayout:
        return StorageLayout(self.real.storage)

    def scan(self) -> Scan:
        job = scan(self.row)
        assert job.state == "done", job.message
        return Scan.objects.get(job=job)

    def parts(self, digest: str, repository: str = REPOSITORY) -> tuple[str, list[str]]:
        """The config and the layers of an image."""
        document = json.loads(Pusher(self.real.url, repository).fetch(digest))
        return document["config"]["digest"], [layer["digest"] for layer in document["layers"]]

    def lose(self, digest: str) -> Path:
        """Its data is not there any more, as after a sweep that went wrong."""
        data = self.stored.data(digest)
        data.unlink()
        return data

    def flip(self, digest: str, byte: bytes = b"") -> None:
        """One bit of it is another: of its last byte, or of the first that is this."""
        content = bytearray(self.stored.data(digest).read_bytes())
        content[content.index(byte) if byte else -1] ^= 1
        self.stored.data(digest).write_bytes(bytes(content))

    def head(self, blob: str) -> int:
        """What the registry says to a HEAD."""
        request = urllib.request.Request(f"{self.real.url}/v2/{REPOSITORY}/blobs/{blob}", method="HEAD")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)

    def delete(self, digest: str) -> None:
        """From outside, with all its tags."""
        path = f"{self.real.url}/v2/{REPOSITORY}/manifests/{digest}"
        urllib.request.urlopen(urllib.request.Request(path, method="DELETE"), timeout=10).close()

    def check(self, **terms: object) -> Check:
        check, job, is_new = services.begin(self.row, Terms(**terms))  # type: ignore[arg-type]
        assert is_new
        return self.carry_out(check, job)

    def carry_out(self, check: Check, job: Job | None = None) -> Check:
        """The job of a check, as a worker would."""
        job = job or Job.objects.get(pk__in=Check.objects.filter(pk=check.pk).values("job"))
        running.run(job.pk)
        return Check.objects.select_related("job").get(pk=check.pk)

    def found(self, check: Check | None = None) -> set[tuple[str, str, str]]:
        """Tag, code and part of what is open, or of what one check found."""
        rows = CheckFinding.objects.filter(found_by=check) if check else CheckFinding.objects.open()
        return set(rows.values_list("tag", "code", "part"))
