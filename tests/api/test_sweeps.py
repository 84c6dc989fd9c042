from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from access.models import User
from api.answers import Listing
from api.sweep_terms import SweepTermsJson
from api.sweeps import SweepJson, SweptBlobJson
from cleanup.halting import halt
from cleanup.models import Sweep, SweepTerms, SweptBlob
from jobs.models import Job
from registries.models import Registry
from tests.api.acting import Hand
from tests.api.asking import ask, walk
from tests.web import furniture as make
from tests.web.test_sweep_pages import blob, sweep

TERMS = "/registries/local/sweep-terms"


@pytest.fixture
def staffs(staff: User) -> Hand:
    return Hand.of(staff)


def test_a_sweep_is_told_with_what_it_found(client: Client, local: Registry) -> None:
    found = sweep(local, found=3, found_bytes=9_000_000, message="It holds.", actor="mara")
    for number, state in enumerate([SweptBlob.State.ASIDE, SweptBlob.State.KEPT, SweptBlob.State.ASIDE]):
        blob(found, number, state)
    said: Any = ask(client, f"/sweeps/{found.pk}", SweepJson)
    assert (said["state"], said["found"], said["message"], said["who"]) == ("holding", 3, "It holds.", "mara")
    assert said["job"] is None
    for name in ("self", "blobs", "page"):
        assert client.get(said["links"][name]).status_code == 200

    blobs = ask(client, f"/sweeps/{found.pk}/blobs", Listing[SweptBlobJson])["items"]
    assert [row["size"] for row in blobs] == [3_000_000, 2_000_000, 1_000_000]
    assert blobs[0]["repositories"] == ["team/app"]
    only = ask(client, f"/sweeps/{found.pk}/blobs", Listing[SweptBlobJson], state="kept")["items"]
    assert [row["state"] for row in only] == ["kept"]


def test_sweeps_are_listed_the_newest_first(
    client: Client, local: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = [sweep(local).pk for _ in range(5)]
    other = sweep(make.registry("edge"), Sweep.State.DONE).pk
    forward, back = walk(client, "/sweeps", limit=2)
    assert [row["id"] for page in forward for row in page] == [other, *reversed(made)]
    assert forward == back[::-1]
    with django_assert_max_num_queries(6):
        only = ask(client, "/sweeps", Listing[SweepJson], registry="edge")["items"]
    assert [row["id"] for row in only] == [other]
    assert [row["id"] for row in ask(client, "/sweeps", Listing[SweepJson], state="done")["items"]] == [other]


def test_a_sweep_is_begun_once_with_times_of_its_own(staffs: Hand, local: Registry) -> None:
    order = {"registry": "local", "only_plan": True, "grace_seconds": 7200, "hold_seconds": 0}
    said = staffs.did(staffs.post("/sweeps", order), 202, SweepJson)
    assert (said["grace_seconds"], said["settle_seconds"], said["hold_seconds"]) == (7200, 60, 0)
    assert said["job"]["kind"] == "sweep"
    assert Job.objects.get().params["only_plan"]
    again = staffs.did(staffs.post("/sweeps", {"registry": "local"}), 202, SweepJson)
    assert again["id"] == said["id"]


@pytest.mark.parametrize(
    "order",
    [{}, {"registry": "nowhere"}, {"registry": "local", "grace_seconds": 5}, {"registry": "local", "now": True}],
)
def test_what_cannot_be_swept_is_refused(staffs: Hand, local: Registry, order: dict[str, Any]) -> None:
    assert staffs.post("/sweeps", order).status_code == 422
    assert not Sweep.objects.exists()


def test_where_sweeps_are_stopped_only_putting_back_is_done(staffs: Hand, local: Registry) -> None:
    held = sweep(local)
    blob(held, 1)
    halt(local, "Something is broken.")
    for path in ("/sweeps", f"/sweeps/{held.pk}/carry-on", f"/sweeps/{held.pk}/delete-now"):
        refused = staffs.post(path, {"registry": "local"} if path == "/sweeps" else None)
        assert refused.status_code == 409
        assert "Sweeps of this registry are stopped: Something is broken." in refused.json()["detail"]
    said = staffs.did(staffs.post(f"/sweeps/{held.pk}/undo"), 202, SweepJson)
    assert said["id"] == held.pk
    assert Job.objects.get().params["undo"]


def test_the_verbs_do_what_fits_the_state(staffs: Hand, local: Registry) -> None:
    done, held = sweep(local, Sweep.State.DONE), sweep(local)
    blob(held, 1)
    assert staffs.post(f"/sweeps/{done.pk}/carry-on").status_code == 409
    assert staffs.post(f"/sweeps/{done.pk}/undo").json()["detail"] == "Nothing lies aside because of it."
    staffs.did(staffs.post(f"/sweeps/{held.pk}/delete-now"), 202, SweepJson)
    assert Job.objects.get().params["at_once"]
    other = sweep(local, Sweep.State.PLANNED)
    refused = staffs.post(f"/sweeps/{other.pk}/carry-on")
    assert refused.json()["detail"] == "“Sweep of local” is under way. Wait until it has ended, or stop it."
    staffs.did(staffs.post(f"/sweeps/{held.pk}/stop"), 202, SweepJson)
    assert staffs.post(f"/sweeps/{held.pk}/stop").status_code == 409


def test_terms_are_told_but_for_the_address_and_changed_in_part(staffs: Hand, client: Client, local: Registry) -> None:
    said = ask(client, TERMS, SweepTermsJson)
    assert (said["processes"], said["grace_seconds"], said["schedule"]["when"]) == ("", 86_400, "by-hand")
    assert said["lacks"].startswith("Berth does not know its storage folder.")

    order = {
        "processes": "several",
        "cache": "redis",
        "redis_url": "redis://:hunter2@cache:6379/0",
        "schedule": {"when": "cron", "cron": "30 4 * * 6", "window": "01:00-05:00"},
    }
    said = staffs.did(staffs.put(TERMS, order), 200, SweepTermsJson)
    assert (said["has_redis_url"], said["schedule"]["cron"]) == (True, "30 4 * * 6")
    assert said["next_at"] is not None
    said = staffs.did(staffs.put(TERMS, {"hold_seconds": 0}), 200, SweepTermsJson)
    assert (said["hold_seconds"], said["cache"], said["has_redis_url"]) == (0, "redis", True)
    assert SweepTerms.objects.get().redis_url == "redis://:hunter2@cache:6379/0"
    assert "hunter2" not in client.get(f"/api/v1{TERMS}").content.decode()


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"cache": "redis"}, "redis_url"),
        ({"grace_seconds": 60}, "grace_seconds"),
        ({"schedule": {"when": "cron", "cron": "often"}}, "schedule.cron"),
        ({"schedule": {"zone": "Nowhere/Land"}}, "schedule.zone"),
        ({"caches": "none"}, "caches"),
    ],
)
def test_terms_that_make_no_sense_are_refused(staffs: Hand, local: Registry, order: dict[str, Any], field: str) -> None:
    refused = staffs.put(TERMS, order)
    assert refused.status_code == 422
    assert [error["parameter"] for error in refused.json()["errors"]] == [field]
    assert not SweepTerms.objects.exists()
