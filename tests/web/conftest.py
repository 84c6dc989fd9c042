from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import hypothesis  # noqa: F401  its plugin imports it at the end, when the driver of the browser has upset the parser
import pytest
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from pytest_django import Settings

from access.models import User
from registries.models import Registry
from tests.web import furniture as make
from tests.web import harbour
from tests.web.harbour import Harbour
from tests.web.served import served
from tests.web.visit import Visit

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


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """The files as they are served: hashed names, compressed; a missing one fails the page that names it."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hashing that costs a fraction of a second is for people, not for tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def reader(db: None) -> User:
    return make.person("reader")


@pytest.fixture
def staff(db: None) -> User:
    return make.person("staff", staff=True)


@pytest.fixture
def client(reader: User) -> Client:
    """A browser in which a reader is signed in."""
    client = Client()
    client.force_login(reader)
    return client


@pytest.fixture
def staff_client(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def local(db: None) -> Registry:
    return make.registry("local", public_name="registry.example.org")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # The driver keeps an event loop in this thread, which Django would else take for a view that may not wait.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def berth(transactional_db: None) -> Iterator[tuple[str, Harbour]]:
    built = harbour.build()
    make.person("mara", staff=True, first_name="Mara", last_name="Voss")
    with served() as origin:
        yield origin, built


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1360, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def visit(berth: tuple[str, Harbour], context: BrowserContext) -> Visit:
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    return visit
