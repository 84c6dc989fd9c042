"""Garbage collections by commands through the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from access.models import User
from api.answers import Listing
from api.garbage_collections import CollectionJson, StepJson
from cleanup.models import ClassicRun
from jobs.models import Job
from registries.models import Registry
from tests.api.acting import Hand
from tests.api.asking import ask, walk
from tests.web import furniture as make
from tests.web import harbour_commands as rows
from tests.web.test_commands import WAY, working

State = ClassicRun.State
PATH = "/garbage-collections"


@pytest.fixture
def staffs(staff: User) -> Hand:
    return Hand.of(staff)


@pytest.fixture
def local(db: None) -> Registry:
    return make.registry("local", url="https://local.example.org")


@pytest.fixture
def way(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "commands.toml"
    path.write_text(WAY)
    path.chmod(0o600)
    settings.CLEANUP_COMMANDS = (path,)


def test_one_is_told_with_its_commands(client: Client, local: Registry, settings: Settings) -> None:
    settings.ANONYMOUS_READ = True
    now = timezone.now()
    run = rows.run(local, State.DONE, marked=6120, doomed=411, doomed_size=5_000, closed_at=now, opened_at=now)
    rows.step(
        run, rows.Kind.COLLECT, ["registry", "garbage-collect"], figures={"marked": 6120, "doomed": 411}, output="x"
    )
    rows.step(run, rows.Kind.READ_ONLY_OFF, ["true"])
    working(run, Job.State.DONE)

    said: Any = ask(client, f"{PATH}/{run.pk}", CollectionJson)
    assert (said["state"], said["doomed"], said["frees"], said["closed"]) == ("done", 411, 5_000, False)
    for name in ("self", "steps", "page"):
        assert client.get(said["links"][name]).status_code == 200

    steps = ask(client, f"{PATH}/{run.pk}/steps", Listing[StepJson])["items"]
    assert [(step["kind"], step["command"], step["doomed"], step["output"]) for step in steps] == [
        ("collect", ["registry", "garbage-collect"], 411, "x"),
        ("read-only-off", ["true"], None, ""),
    ]
    unseen = ask(Client(), f"{PATH}/{run.pk}/steps", Listing[StepJson])["items"]
    assert [(step["command"], step["output"]) for step in unseen] == [(None, None)] * 2


def test_they_are_listed_the_newest_first(
    client: Client, local: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = [rows.run(local, State.PLANNED).pk for _ in range(5)]
    other = rows.run(make.registry("edge"), State.DONE).pk
    forward, back = walk(client, PATH, limit=2)
    assert [row["id"] for page in forward for row in page] == [other, *reversed(made)]
    assert forward == back[::-1]
    with django_assert_max_num_queries(6):
        only = ask(client, PATH, Listing[CollectionJson], registry="edge", state="done")["items"]
    assert [row["id"] for row in only] == [other]


@pytest.mark.usefixtures("way")
def test_one_is_begun_once_and_stopped(staffs: Hand, local: Registry) -> None:
    said = staffs.did(staffs.post(PATH, {"registry": "local", "only_plan": True}), 202, CollectionJson)
    assert (said["only_plan"], said["state"], said["job"]["kind"]) == (True, "new", "garbage-collect")
    again = staffs.did(staffs.post(PATH, {"registry": "local"}), 202, CollectionJson)
    assert (again["id"], again["only_plan"]) == (said["id"], True)
    stopped = staffs.did(staffs.post(f"{PATH}/{said['id']}/stop"), 202, CollectionJson)
    assert stopped["job"]["state"] == "stopped"
    assert staffs.post(f"{PATH}/{said['id']}/stop").status_code == 409


@pytest.mark.usefixtures("way")
def test_what_was_planned_is_collected_and_what_is_done_is_not(staffs: Hand, local: Registry) -> None:
    run = rows.run(local, State.PLANNED, only_plan=True)
    said = staffs.did(staffs.post(f"{PATH}/{run.pk}/carry-on"), 202, CollectionJson)
    assert (said["id"], said["only_plan"], said["job"]["state"]) == (run.pk, False, "queued")
    ClassicRun.objects.update(state=State.DONE)
    assert staffs.post(f"{PATH}/{run.pk}/carry-on").status_code == 409


def test_without_commands_nothing_is_begun(staffs: Hand, local: Registry) -> None:
    response = staffs.post(PATH, {"registry": "local"})
    assert response.status_code == 409
    assert "No commands are set up for local" in response.json()["detail"]
    run = rows.run(local, State.BROKEN_OFF)
    assert staffs.post(f"{PATH}/{run.pk}/carry-on").status_code == 409
    assert not Job.objects.exists()


@pytest.mark.parametrize("order", [{}, {"registry": "nowhere"}, {"registry": "local", "command": ["rm"]}])
def test_what_cannot_be_begun_is_refused(staffs: Hand, local: Registry, order: dict[str, Any]) -> None:
    assert staffs.post(PATH, order).status_code == 422
