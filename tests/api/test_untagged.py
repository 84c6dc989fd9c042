"""Runs over untagged manifests through the API, and the schedules of cleanup."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from access.models import User
from api.answers import Listing
from api.cleanup_schedules import CleanupScheduleJson
from api.untagged import UntaggedItemJson, UntaggedRunJson
from catalog.models import Repository
from cleanup.models import Timetable, UntaggedItem, UntaggedRun
from jobs.models import Job
from registries.models import Registry
from tests.api.acting import Hand
from tests.api.asking import ask, walk
from tests.web import furniture as make
from tests.web import harbour_untagged as rows
from tests.web.test_untagged import working

State = UntaggedRun.State
SCHEDULE = "/registries/local/cleanup-schedules"


@pytest.fixture
def staffs(staff: User) -> Hand:
    return Hand.of(staff)


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


def test_a_run_is_told_with_what_goes_and_what_stays(client: Client, app: Repository) -> None:
    left = [["odd/things", "it could not be listed: permission denied"]]
    items = [rows.item("1", state=UntaggedItem.State.DONE), rows.item("2")]
    run = rows.run(app, State.BROKEN_OFF, items, left_alone=left, left_alone_count=1, actor="ana")
    working(run, Job.State.STOPPED)

    said: Any = ask(client, f"/untagged/{run.pk}", UntaggedRunJson)
    assert (said["state"], said["source"], said["who"], said["stays"]["tagged"]) == (
        "broken-off",
        "folder",
        "ana",
        1204,
    )
    assert said["left_alone"] == [{"repository": "odd/things", "why": "it could not be listed: permission denied"}]
    for name in ("self", "items", "page"):
        assert client.get(said["links"][name]).status_code == 200

    found = ask(client, f"/untagged/{run.pk}/items", Listing[UntaggedItemJson])["items"]
    assert [(row["repository"], row["state"], row["kind"]) for row in found] == [
        ("team/app", "done", "image"),
        ("team/app", "planned", "image"),
    ]
    only = ask(client, f"/untagged/{run.pk}/items", Listing[UntaggedItemJson], state="done")["items"]
    assert [row["position"] for row in only] == [0]


def test_runs_are_listed_the_newest_first(
    client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = [rows.run(app, State.PLANNED, []).pk for _ in range(5)]
    other = rows.run(make.repository(make.registry("edge")), State.DONE, []).pk
    forward, back = walk(client, "/untagged", limit=2)
    assert [row["id"] for page in forward for row in page] == [other, *reversed(made)]
    assert forward == back[::-1]
    with django_assert_max_num_queries(6):
        only = ask(client, "/untagged", Listing[UntaggedRunJson], registry="edge", state="done")["items"]
    assert [row["id"] for row in only] == [other]


def test_a_run_is_begun_once_and_stopped(staffs: Hand, local: Registry) -> None:
    order = {"registry": "local", "only_plan": True, "grace_hours": 0}
    said = staffs.did(staffs.post("/untagged", order), 202, UntaggedRunJson)
    assert (said["grace_hours"], said["state"], said["job"]["kind"]) == (0, "new", "untagged")
    again = staffs.did(staffs.post("/untagged", {"registry": "local"}), 202, UntaggedRunJson)
    assert again["id"] == said["id"]
    stopped = staffs.did(staffs.post(f"/untagged/{said['id']}/stop"), 202, UntaggedRunJson)
    assert stopped["job"]["state"] == "stopped"
    assert staffs.post(f"/untagged/{said['id']}/stop").status_code == 409


def test_what_is_planned_is_carried_out_and_what_is_done_is_not(staffs: Hand, app: Repository) -> None:
    run = rows.run(app, State.PLANNED, [rows.item("1")])
    said = staffs.did(staffs.post(f"/untagged/{run.pk}/carry-on"), 202, UntaggedRunJson)
    assert (said["id"], said["job"]["state"]) == (run.pk, "queued")
    UntaggedRun.objects.update(state=State.DONE)
    assert staffs.post(f"/untagged/{run.pk}/carry-on").status_code == 409


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"registry": "nowhere"},
        {"registry": "local", "grace_hours": -1},
        {"registry": "local", "grace_hours": 10**9},
        {"registry": "local", "only_plan": "yes"},
        {"registry": "local", "depth": 1},
    ],
)
def test_what_cannot_be_begun_is_refused(staffs: Hand, local: Registry, order: dict[str, Any]) -> None:
    assert staffs.post("/untagged", order).status_code == 422
    assert not UntaggedRun.objects.exists()


def test_a_schedule_is_read_and_set(staffs: Hand, client: Client, local: Registry) -> None:
    said: Any = ask(client, f"{SCHEDULE}/untagged", CleanupScheduleJson)
    assert (said["when"], said["grace_hours"], said["next_at"]) == ("by-hand", 24, None)
    order = {"when": "cron", "cron": "30 4 * * *", "zone": "Asia/Seoul", "window": "22:00-06:00", "grace_hours": 48}
    staffs.did(staffs.put(f"{SCHEDULE}/untagged", order), 200, CleanupScheduleJson)
    said = ask(client, f"{SCHEDULE}/untagged", CleanupScheduleJson)
    assert {name: said[name] for name in order} == order
    assert said["next_at"] > timezone.now().isoformat()
    staffs.did(staffs.put(f"{SCHEDULE}/garbage-collect", {"when": "every", "every": 1440}), 200, CleanupScheduleJson)
    assert ask(client, f"{SCHEDULE}/garbage-collect", CleanupScheduleJson)["grace_hours"] is None
    assert Timetable.objects.count() == 2


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"when": "often"}, "when"),
        ({"when": "event"}, "when"),
        ({"when": "every", "every": 1}, "every"),
        ({"when": "cron", "cron": "* * * * *"}, "cron"),
        ({"when": "by-hand", "window": "9-5"}, "window"),
        ({"when": "by-hand", "zone": "Nowhere"}, "zone"),
    ],
)
def test_a_schedule_that_is_none_is_refused(staffs: Hand, local: Registry, order: dict[str, Any], field: str) -> None:
    response = staffs.put(f"{SCHEDULE}/untagged", order)
    assert response.status_code == 422
    assert [error["parameter"] for error in response.json()["errors"]] == [field]
    assert not Timetable.objects.exists()


def test_no_other_work_has_a_schedule(client: Client, local: Registry) -> None:
    assert client.get(f"/api/v1{SCHEDULE}/sweep").status_code == 422
    assert client.get("/api/v1/registries/nowhere/cleanup-schedules/untagged").status_code == 404
