from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Browser, BrowserContext

from access.models import User
from registries.models import Registry
from sync.models import Rule
from tests.web import furniture as make
from tests.web import harbour_sync
from tests.web.drawing import Drawing
from tests.web.harbour import Harbour
from tests.web.served import served
from tests.web.visit import Visit


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """The files as they are served: hashed names, compressed; a missing one fails the page that names it."""
    call_command("collectstatic", interactive=False, verbosity=0)


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


@pytest.fixture
def hub(db: None) -> Registry:
    """A source at which nobody listens."""
    return make.registry("hub", url="http://127.0.0.1:1", plain_http=True, role=Registry.Role.SOURCE)


@pytest.fixture
def rule(local: Registry, hub: Registry) -> Rule:
    return harbour_sync.rule(local, hub)


@pytest.fixture(scope="session")
def drawing() -> Drawing:
    return Drawing()


@pytest.fixture
def berth(transactional_db: None, drawing: Drawing) -> Iterator[tuple[str, Harbour]]:
    built = drawing.lay()
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
