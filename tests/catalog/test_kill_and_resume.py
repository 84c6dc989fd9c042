"""A scan is killed at many places, run again, and comes to the same end as one that nobody disturbed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.catalog.apart import Scanned, prepare, scan_apart
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.sampling import of_today

pytestmark = pytest.mark.long

KILLS = [
    *[("api", "request", fraction) for fraction in (0.08, 0.3, 0.5, 0.7, 0.93)],
    *[("api", "write", fraction) for fraction in (0.08, 0.3, 0.5, 0.7, 0.93)],
    ("folder", "request", 0.1),
    *[("folder", "write", fraction) for fraction in (0.08, 0.5, 0.93)],
]
# Of a later scan, which finds that tags have come, moved and gone, and that a part of an image is missing.
LATER_KILLS = [
    *[("api", fraction) for fraction in (0.15, 0.35, 0.55, 0.75, 0.85, 0.95)],
    *[("folder", fraction) for fraction in (0.1, 0.25, 0.45, 0.65, 0.75, 0.85, 0.95)],
]
TABLES = ["manifest", "manifestblob", "indexentry", "document", "presence", "repositoryblob", "tag", "configdocument"]
TABLE_KILLS = [(("api", "folder")[number % 2], table) for number, table in enumerate(TABLES)]


class Undisturbed(NamedTuple):
    """How it ended, and the data folder before it: with a database that knows the registry, and nothing in it."""

    blank: Path
    scanned: Scanned


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A few repositories with something of everything."""
    with RealRegistry(tmp_path_factory.mktemp("registry")) as registry:
        app = Pusher(registry.url, "team/app")
        for version in range(4):
            base = app.image(seed=str(version), layers=[b"base", str(version).encode()])
            arm = app.image(seed=str(version), platform="linux/arm64", layers=[b"base", str(version).encode()])
            attestation = app.attestation({"about": version})
            app.index(f"1.{version}", f"v1.{version}", children=[base, arm], attestations={attestation: base})
        other = Pusher(registry.url, "copy")
        other.image("1", "2", seed="0", layers=[b"base", b"0"])
        Pusher(registry.url, "team/charts").chart("1.0.0")
        Pusher(registry.url, "broken").image("whole", "torn")
        torn = registry.storage / "docker/registry/v2/repositories/broken/_manifests/tags/torn/current/link"
        torn.unlink()
        yield registry


@pytest.fixture(scope="module")
def undisturbed(registry: RealRegistry, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Undisturbed]:
    """By the source that is read."""
    done = {}
    for source, storage in (("api", ""), ("folder", registry.storage)):
        folder = tmp_path_factory.mktemp(source)
        prepare(folder / "blank", registry.url, storage)
        copy = shutil.copytree(folder / "blank", folder / "scanned")
        scanned = scan_apart(copy)
        assert scanned.state == "done"
        done[source] = Undisturbed(folder / "blank", scanned)
    assert done["folder"].scanned.requests < done["api"].scanned.requests
    return done


@pytest.mark.parametrize(("source", "counted", "fraction"), of_today(KILLS))
def test_a_scan_that_was_killed_comes_to_the_same_end(
    undisturbed: dict[str, Undisturbed], tmp_path: Path, source: str, counted: str, fraction: float
) -> None:
    blank, scanned = undisturbed[source]
    folder = shutil.copytree(blank, tmp_path / "data")
    total = scanned.requests if counted == "request" else scanned.writes

    again = scan_apart(folder, f"--die-at-{counted}", str(int(total * fraction) + 1))

    assert (again.state, again.picture) == ("done", scanned.picture)


@pytest.mark.parametrize(("source", "table"), of_today(TABLE_KILLS))
def test_a_scan_that_was_killed_between_two_tables_comes_to_the_same_end(
    undisturbed: dict[str, Undisturbed], tmp_path: Path, source: str, table: str
) -> None:
    blank, scanned = undisturbed[source]
    folder = shutil.copytree(blank, tmp_path / "data")

    again = scan_apart(folder, "--die-at-table", f"catalog_{table}")

    assert (again.state, again.picture) == ("done", scanned.picture)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Undisturbed]]:
    """By the source that is read: before a scan that finds a change in whatever may change, and after it."""
    with RealRegistry(tmp_path_factory.mktemp("changing")) as registry:
        app = Pusher(registry.url, "team/app")
        children = [app.image(seed="0", platform=platform) for platform in ("linux/amd64", "linux/arm64")]
        for version in range(3):
            app.index(f"1.{version}", children=[app.image(seed=f"{version}"), *children])
        app.image("old", "latest", seed="old")
        Pusher(registry.url, "same").image("1", seed="0")
        folders = {source: tmp_path_factory.mktemp(f"changing-{source}") / "before" for source in ("api", "folder")}
        for source, folder in folders.items():
            prepare(folder, registry.url, registry.storage if source == "folder" else "")
            assert scan_apart(folder).state == "done"
        app.image("2.0", "latest", seed="2.0", layers=[b"another"])
        app.index("1.1", children=[app.image(seed="1.1")])
        manifests = registry.storage / "docker/registry/v2/repositories/team/app/_manifests"
        shutil.rmtree(manifests / "tags/old")
        shutil.rmtree(manifests / "revisions/sha256" / children[1].removeprefix("sha256:"))
        Pusher(registry.url, "new").image("1", seed="new")
        yield {source: _scanned_later(folder) for source, folder in folders.items()}


def _scanned_later(before: Path) -> Undisturbed:
    scanned = scan_apart(shutil.copytree(before, before.with_name("after")))
    assert scanned.state == "done"
    return Undisturbed(before, scanned)


@pytest.mark.parametrize(("source", "fraction"), of_today(LATER_KILLS))
def test_a_later_scan_that_was_killed_comes_to_the_same_end(
    changed: dict[str, Undisturbed], tmp_path: Path, source: str, fraction: float
) -> None:
    before, scanned = changed[source]
    folder = shutil.copytree(before, tmp_path / "data")

    again = scan_apart(folder, "--die-at-write", str(int(scanned.writes * fraction) + 1))

    assert (again.state, again.picture) == ("done", scanned.picture)
