"""What an auditor reads of what real clients did at a real registry: this story, with the right names."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.models import User
from audit.models import Entry
from catalog.arrivals import waiting
from registries.models import Registry
from registries.probing import probe
from tests.catalog.arrivals.station import Station, basic
from tests.ear import Ear
from tests.pushing import Pusher
from tests.real_registry import PASSWORD, USERNAME, RealRegistry, generations
from tests.tagging.acting import Actor
from tests.web.conftest import static_files

__all__ = ["static_files"]

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture(params=generations())
def station(request: pytest.FixtureRequest, tmp_path: Path, db: None) -> Iterator[Station]:
    folder = tmp_path / "real"
    with Ear() as ear, RealRegistry(folder, request.param, htpasswd=True, settings=ear.settings()) as real:
        row = Registry.objects.create(name="main", url=real.url, username=USERNAME, password=PASSWORD)
        probe(row)
        yield Station(real, row, ear, basic())


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Pusher]:
    """A registry to copy from."""
    with RealRegistry(tmp_path / "elsewhere") as real:
        yield Pusher(real.url, "source")


def skopeo(*words: str) -> None:
    subprocess.run(["skopeo", *words], check=True, capture_output=True)


def test_the_activity_tells_the_story(station: Station, elsewhere: Pusher, staff: User, tmp_path: Path) -> None:
    first, second = elsewhere.image("first"), elsewhere.image("second", seed="second")
    children = [elsewhere.image(seed="i"), elsewhere.image(platform="linux/arm64", seed="i")]
    index = elsewhere.index("index", children=children)
    source = f"docker://{elsewhere.url.removeprefix('http://')}/source"
    here = f"docker://{station.real.url.removeprefix('http://')}/team/app"
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    push = ("copy", "-q", *plain, "--dest-creds", f"{USERNAME}:{PASSWORD}")
    pull = ("copy", "-q", "--src-tls-verify=false", "--src-creds", f"{USERNAME}:{PASSWORD}")

    skopeo(*push, f"{source}:first", f"{here}:1.0")
    skopeo(*push, f"{source}:first", f"{here}:1.0")
    skopeo(*push, "--preserve-digests", f"{source}:second", f"{here}:1.0")
    skopeo(*push, "--src-creds", f"{USERNAME}:{PASSWORD}", f"{here}:1.0", f"{here}:latest")
    skopeo(*push, "--all", f"{source}:index", f"{here}:2.0")
    skopeo(*pull, f"{here}:2.0", f"dir:{tmp_path}/pulled")
    station.arrive()
    blob = station.pusher("team/base").blob(b"shared")
    station.ask("POST", f"team/app/blobs/uploads/?mount={blob}&from=team/base")
    station.ask("DELETE", f"team/app/manifests/{index}")
    actor = Actor(station.real, station.row, staff)
    station.arrive()
    actor.carry_out(actor.plan_tags("latest", why="tidying up"))
    station.arrive()
    waiting.end_due(timezone.now() + timedelta(hours=1))

    client = Client()
    client.force_login(staff)
    rows = _rows(client.get("/activity?repository=team/app").content.decode())
    expected = [
        ("pushed team/app : 1.0 alice", first),
        ("pushed team/app : 1.0 again alice", first),
        ("moved team/app : 1.0 alice", f"{_short(first)} → to {_short(second)}"),
        ("pulled team/app : 1.0 alice", second),  # the source of what comes next
        ("tagged team/app : latest alice", second),
        ("pushed team/app : 2.0 alice", index),
        ("pulled team/app : 2.0 alice", index),
        (f"deleted the image team/app @ {_short(index)} alice", index),
        ("deleted the tag team/app : 2.0 alice", index),
        ("deleted the tag team/app : latest tidying up mara", second),
        ("mounted 1 layer from team/base into team/app alice", ""),
    ]
    assert len(rows) == len(expected)
    for row, (sentence, digest) in zip(_in_order(rows), _in_order(expected), strict=True):
        assert row.startswith(sentence)
        assert _short(digest) in row
        assert ("skopeo" in row) == (sentence.split()[0] in {"pushed", "moved", "pulled", "tagged"})
    assert {entry.actor for entry in Entry.objects.filter(source="event")} == {"alice"}


def _in_order(rows: Sequence[Any]) -> list[Any]:
    """Those of a pull and of what it was pulled for may be told in either order."""
    return sorted(rows, key=str)


def _short(digest: str) -> str:
    return digest if " " in digest else digest.removeprefix("sha256:")[:12]


def _rows(page: str) -> list[str]:
    bodies = re.findall(r"<tr\b.*?</tr>", page, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split()) for body in bodies[1:]]
