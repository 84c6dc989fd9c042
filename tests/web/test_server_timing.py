from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from access.models import User
from catalog.models import Repository
from registries.models import Registry
from tests.web import furniture as make

PAGE = "/r/local/team/app"
HEADER = re.compile(r'app;dur=([0-9.]+), cpu;dur=([0-9.]+), db;dur=([0-9.]+);desc="([0-9]+) queries"')


@pytest.fixture
def app(local: Registry) -> Repository:
    app = make.repository(local, "team/app")
    make.put(app, make.image(), "1.0")
    return app


def told(client: Client, path: str) -> tuple[float, ...]:
    answer = client.get(path)
    assert answer.status_code == 200
    found = HEADER.fullmatch(answer["Server-Timing"])
    assert found, answer["Server-Timing"]
    return tuple(map(float, found.groups()))


def test_nothing_is_told_unless_it_is_asked_for(client: Client, app: Repository) -> None:
    assert "Server-Timing" not in client.get(PAGE)


def test_a_page_tells_its_times_and_counts_each_query(reader: User, app: Repository, settings: Settings) -> None:
    settings.SERVER_TIMING = True
    client = Client()
    client.force_login(reader)
    told(client, PAGE)  # what is asked once only

    with CaptureQueriesContext(connection) as seen:
        took, cpu, of_queries, queries = told(client, PAGE)

    assert queries == len(seen) > 5
    assert cpu > 0
    assert 0 < of_queries < took


def test_what_asks_the_database_nothing_says_so(settings: Settings) -> None:
    settings.SERVER_TIMING = True

    assert told(Client(), "/healthz")[2:] == (0, 0)
