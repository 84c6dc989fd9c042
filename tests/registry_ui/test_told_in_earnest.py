"""Berth as it runs, told by a real registry, killed and away meanwhile: all that was pushed is there, and told once."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry_ui.bench import hearing, scanning
from registry_ui.bench.processes import end
from registry_ui.bench.registries import Registry
from registry_ui.bench.site import Site
from tests.pushing import Pusher
from tests.real_registry import V2, V3, binary, generations_in_turn
from tests.registry_ui.telling_apart import story, web

pytestmark = [pytest.mark.long, pytest.mark.sampled(3)]

_PATIENCE = 40.0
_NAME = "main"


@pytest.fixture(params=generations_in_turn())
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    program = binary(V3 if request.param == "3" else V2)
    assert program
    (tmp_path / "storage").mkdir()
    return Registry(program, tmp_path / "storage", tmp_path / "registry")


@dataclass(frozen=True)
class Fresh:
    """A Berth that never was up and knows a registry somewhere; and the secret that this one shows."""

    site: Site
    secret: str

    @contextmanager
    def told_by(self, registry: Registry, folder: Path) -> Iterator[Site]:
        """A copy that is not up yet, and the registry that tells it."""
        site = self.site.copy(folder / "berth")
        with closing(sqlite3.connect(site.database)) as database, database:
            database.execute("UPDATE registries_registry SET url = ?", (registry.url,))
        with registry.serving(events_to=f"{site.url}/api/v1/events/{_NAME}", secret=self.secret):
            yield site


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    folder = tmp_path_factory.mktemp("fresh")
    site = Site.new(folder / "berth")
    scanning.add(site, _NAME, Registry("", folder / "storage", folder / "registry"))
    return Fresh(site, hearing.secret(site, _NAME))


def push(registry: Registry, first: int, last: int) -> list[str]:
    pusher = Pusher(registry.url, "team/app")
    tags = [f"{number}.0" for number in range(first, last)]
    for tag in tags:
        pusher.image(tag, "latest", seed=tag)
    return tags


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not found():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.2)


def test_pushes_while_berth_is_away_are_told_when_it_is_back(fresh: Fresh, registry: Registry, tmp_path: Path) -> None:
    with fresh.told_by(registry, tmp_path) as site:
        tags = push(registry, 0, 10)
        with site.serving(), hearing.handling(site):
            until(lambda: len(story(site)) == 2 * len(tags))
            hearing.wait_until_handled(site, _NAME)
    check(site, tags)


def test_whoever_is_killed_loses_nothing_and_counts_nothing_twice(
    fresh: Fresh, registry: Registry, tmp_path: Path
) -> None:
    with fresh.told_by(registry, tmp_path) as site, ExitStack() as stack:
        stack.enter_context(site.serving())
        tags: list[str] = []
        for turn in range(4):
            process = site.start("registry_ui.start.arrivals")
            time.sleep(0.8 + 0.2 * turn)
            tags += push(registry, 10 * turn, 10 * turn + 10)
            process.send_signal(signal.SIGKILL)
            end(process)
        stack.enter_context(hearing.handling(site))
        until(lambda: len(story(site)) == 2 * len(tags))
        hearing.wait_until_handled(site, _NAME)
    check(site, tags)


def test_a_web_server_that_is_killed_has_taken_in_what_it_said(
    fresh: Fresh, registry: Registry, tmp_path: Path
) -> None:
    with fresh.told_by(registry, tmp_path) as site, hearing.handling(site):
        tags: list[str] = []
        for turn in range(3):
            with web(site) as process:
                tags += push(registry, 10 * turn, 10 * turn + 10)
                os.killpg(process.pid, signal.SIGKILL)
        with web(site):
            until(lambda: len(story(site)) == 2 * len(tags))
            hearing.wait_until_handled(site, _NAME)
    check(site, tags, may_repeat=True)


def check(site: Site, tags: list[str], *, may_repeat: bool = False) -> None:
    """Each push is one entry, however often it was told."""
    entries = story(site)
    assert sorted(tag for _, tag, _, _ in entries if tag != "latest") == sorted(tags)
    moves = [(before, after) for _, tag, before, after in entries if tag == "latest"]
    assert [before for before, _ in moves] == ["", *(after for _, after in moves[:-1])]
    state = hearing.state(site, _NAME)
    assert (state.waiting, state.quarantined) == (0, 0)
    assert may_repeat or state.repeated == 0
