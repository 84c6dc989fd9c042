from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import hypothesis  # here: its plugin imports it at the end, when the driver of the browser has upset the parser
import pytest
from django.utils import translation
from playwright.sync_api import Browser, sync_playwright
from pytest_django import Settings

from tests import guardless, static_files
from tests.hostile import Hostile
from tests.pushing import Pusher
from tests.real_registry import RealRegistry, generations
from tests.sampling import EVERY, of_today

if TYPE_CHECKING:
    from pathlib import Path


# A machine that has other work to do finds no fault: nothing is measured here.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")

CHROMIUM: Final = "/usr/bin/chromium"
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long files first, or one process would be at its last while the others have none left."""
    sampled: dict[int, list[pytest.Item]] = {}
    for item in items:
        if mark := item.get_closest_marker("sampled"):
            sampled.setdefault(mark.args[0] if mark.args else EVERY, []).append(item)
    others = {item for days, some in sampled.items() for item in set(some) - set(of_today(some, days))}
    config.hook.pytest_deselected(items=list(others))
    items[:] = [item for item in items if item not in others]
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """One process tells another in UTF-8, which has not all that a test may log."""
    return _encodable((yield))


def _encodable(told: Any) -> Any:
    match told:
        case str():
            return told.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_encodable(key): _encodable(value) for key, value in told.items()}
        case list() | tuple():
            return type(told)(map(_encodable, told))
    return told


@pytest.fixture(autouse=True, scope="session")
def tables_are_emptied() -> Iterator[None]:
    """Between two tests, although the product never empties those of the audit."""
    with guardless.emptied():
        yield


@pytest.fixture(autouse=True, scope="session")
def static_files_are_known() -> Iterator[None]:
    with static_files.looked_at_once():
        yield


@pytest.fixture(autouse=True, scope="session")
def what_nobody_closed_is_no_fault() -> Iterator[None]:
    """It is collected at any moment, that of another test: of one in which the stack is at its end, too."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    yield
    sys.unraisablehook = hook


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """What a page was asked to speak stays with its thread, which is that of all tests."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hashing that costs a fraction of a second is for people, not for tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", params=generations())
def real_registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """One of each generation for all tests, so each test uses a repository of its own (see `push`)."""
    folder: Path = tmp_path_factory.mktemp("registry")
    with RealRegistry(folder, request.param) as registry:
        yield registry


@pytest.fixture
def push(real_registry: RealRegistry, request: pytest.FixtureRequest) -> Pusher:
    """Pushes into a repository of this test's own."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return Pusher(real_registry.url, f"test/{name[:200].strip('-')}")


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with Hostile() as registry:
        yield registry


@pytest.fixture
def other_host() -> Iterator[Hostile]:
    """It only listens: whatever it is told, it should not have been."""
    with Hostile() as host:
        yield host


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One for all tests: a second driver in this thread finds the loop of the first."""
    # The driver keeps an event loop in this thread, which Django would else take for a view that may not wait.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
