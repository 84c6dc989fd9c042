"""The pages of untagged manifests: how registries stand, runs, what staff can do about them, and the schedule."""

from __future__ import annotations

import gzip
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import Entry
from catalog.models import Repository
from cleanup.models import Timetable, UntaggedItem, UntaggedRun
from cleanup.models.timetables import written
from jobs.models import Job
from jobs.schedule import Schedule, When
from registries.models import Registry
from tests.web import furniture as make
from tests.web import harbour_untagged as rows
from tests.web.pages import Page
from tests.web.sync_sent import words

pytestmark = pytest.mark.django_db(databases="__all__")

UNTAGGED: Final = "/cleanup/untagged"
EVIL: Final = "<img src=x onerror=alert(1)>\"'&"
BUTTONS: Final = ("Delete 1 manifest", "Go on with the rest", "Look again", "Stop")
State = UntaggedRun.State
Item = UntaggedItem.State


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


def working(run: UntaggedRun, state: Job.State = Job.State.RUNNING, **fields: Any) -> Job:
    job = make.job(run.registry, state, kind="untagged", title="Deleting untagged manifests of local", **fields)
    UntaggedRun.objects.filter(pk=run.pk).update(job=job)
    return job


def test_a_registry_at_which_nobody_looked_says_so(client: Client, staff_client: Client, local: Registry) -> None:
    text = words(client, UNTAGGED)
    assert "Nobody has looked yet" in text
    assert "It runs only when somebody says so." in text
    assert "No run yet" in text
    assert "Find and delete…" not in text
    assert "Find and delete…" in words(staff_client, UNTAGGED)
    assert 'value="24"' in staff_client.get(UNTAGGED).content.decode()


@pytest.mark.parametrize(
    "case",
    [
        (State.PLANNED, [rows.item("1")], {"Delete 1 manifest", "Look again"}, "nothing was changed yet"),
        (State.DONE, [], {"Look again"}, "Something reaches each of them"),
        (State.DONE, [rows.item("1", state=Item.DONE)], {"Look again"}, "Carried out"),
        (State.BROKEN_OFF, [rows.item("1")], {"Go on with the rest", "Look again"}, "Broken off"),
    ],
)
def test_a_run_offers_what_can_be_done_in_its_state(
    case: tuple[UntaggedRun.State, list[UntaggedItem], set[str], str],
    client: Client,
    staff_client: Client,
    app: Repository,
) -> None:
    state, items, buttons, sentence = case
    began = timezone.now() if state == State.BROKEN_OFF else None
    url = rows.run(app, state, items, began_at=began).get_absolute_url()

    text = words(staff_client, url)

    assert {button for button in BUTTONS if button in text} == buttons
    assert sentence in text
    assert not any(button in words(client, url) for button in BUTTONS)


def test_a_run_says_by_what_it_went_what_stays_and_what_it_left_alone(client: Client, app: Repository) -> None:
    left = [["odd/things", "the tag x cannot be read, so nobody knows what it needs: " + EVIL]]
    run = rows.run(app, State.PLANNED, [rows.item("1")], source="catalog", left_alone=left, left_alone_count=1)
    text = words(client, run.get_absolute_url())
    assert "It went by what scans have seen." in text
    assert "an index lists it that stays 2,410" in text
    assert "1 repository, since something of it could not be read" in text
    assert EVIL in text
    UntaggedRun.objects.update(source="folder")
    assert "all that lies in the storage folder" in words(client, run.get_absolute_url())


def test_its_manifests_are_paged_and_told_apart_by_their_ends(client: Client, app: Repository) -> None:
    items = [rows.item(str(number), state=Item.DONE) for number in range(30)]
    items.append(rows.item("30", state=Item.FAILED, note=EVIL))
    items.append(rows.item("31", state=Item.SKIPPED, note="a tag points to it by now, so it stays"))
    url = rows.run(app, State.DONE, items).get_absolute_url()
    assert "28 of 32 manifests" in words(client, url)
    assert "30 manifests" in words(client, f"{url}?end=done").replace("28 of ", "")
    failed = words(client, f"{url}?end=failed")
    assert "1 manifest" in failed
    assert EVIL in failed
    assert "a tag points to it by now, so it stays" in words(client, f"{url}?end=skipped")


def test_what_the_catalog_knows_leads_to_its_page(client: Client, app: Repository) -> None:
    built = make.image()
    make.put(app, built)
    run = rows.run(app, State.PLANNED, [rows.item("unknown"), rows.item("known")])
    UntaggedItem.objects.filter(run=run, position=1).update(digest=built.row.digest)
    links = Page(client.get(run.get_absolute_url()).content.decode()).links
    assert [link for link in links if "/manifests/" in link] == [f"/r/local/team/app/-/manifests/{built.row.digest}"]


def test_a_run_that_is_under_way_says_how_far_it_is(staff_client: Client, app: Repository) -> None:
    run = rows.run(app, State.UNDER_WAY, [rows.item("1")])
    job = working(run, progress={"phase": "carrying-out", "tags": [1, 4]}, params={"run": run.pk})
    url = run.get_absolute_url()

    page = Page(staff_client.get(url).content.decode())
    part = staff_client.get(url, headers={"HX-Request": "true"})

    for text in (page.words, Page(part.content.decode()).words):
        assert "Deleting what nothing reaches" in text
        assert "1 of 4 manifests" in text
    assert [bar["value"] for bar in page.all("progress")] == ["25"]
    assert [poll["hx-get"] for poll in page.all("div", id="live")] == [url]
    assert "HX-Refresh" not in part.headers
    of_job = Page(staff_client.get(f"/jobs/{job.pk}").content.decode())
    assert url in of_job.links
    Job.objects.update(state=Job.State.DONE)
    assert staff_client.get(url, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_a_preview_is_begun_once(staff_client: Client, local: Registry) -> None:
    said = {"registry": "local", "grace_hours": "48", "how": "plan"}
    first = staff_client.post(f"{UNTAGGED}/begin", said)
    second = staff_client.post(f"{UNTAGGED}/begin", {**said, "how": "now", "sure": "1"})
    run = UntaggedRun.objects.get()
    assert first["Location"] == second["Location"] == run.get_absolute_url()
    assert run.grace_hours == 48
    assert run.job is not None
    assert run.job.params["only_plan"] is True


def test_what_deletes_at_once_asks_first(staff_client: Client, local: Registry) -> None:
    said = {"registry": "local", "grace_hours": "24", "how": "now"}
    asked = staff_client.post(f"{UNTAGGED}/begin", said)
    assert "Delete untagged manifests of local?" in Page(asked.content.decode()).words
    assert not UntaggedRun.objects.exists()
    staff_client.post(f"{UNTAGGED}/begin", {**said, "sure": "1"})
    assert "only_plan" not in Job.objects.get().params


@pytest.mark.parametrize("hours", ["", "-1", "1.5", "9" * 30, "٣"])
def test_a_grace_time_that_is_none_begins_nothing(staff_client: Client, local: Registry, hours: str) -> None:
    response = staff_client.post(f"{UNTAGGED}/begin", {"registry": "local", "grace_hours": hours}, follow=True)
    assert "whole number of hours" in Page(response.content.decode()).words
    assert not UntaggedRun.objects.exists()


def test_a_plan_is_carried_out_stopped_and_gone_on_with(staff_client: Client, app: Repository) -> None:
    run = rows.run(app, State.PLANNED, [rows.item("1")])
    url = run.get_absolute_url()
    staff_client.post(f"{url}/carry-on")
    assert Job.objects.filter(kind="untagged", state=Job.State.QUEUED, params__run=run.pk).count() == 1
    staff_client.post(f"{url}/stop")
    assert Job.objects.get().state == Job.State.STOPPED
    assert "It had already ended." in Page(staff_client.post(f"{url}/stop", follow=True).content.decode()).words
    UntaggedRun.objects.update(state=State.DONE)
    again = staff_client.post(f"{url}/carry-on", follow=True)
    assert "It was carried out already." in Page(again.content.decode()).words


def test_a_schedule_is_set_and_told(staff_client: Client, client: Client, local: Registry) -> None:
    url = f"{UNTAGGED}/schedule/local"
    said = {"when": "cron", "cron": "30  4 * * *", "zone": "Asia/Seoul", "window": "22:00-06:00", "grace_hours": "72"}
    assert staff_client.post(url, said)["Location"] == UNTAGGED
    row = Timetable.objects.get()
    assert (row.work, row.grace_hours, row.set_by) == ("untagged", 72, "staff")
    assert row.next_at is not None
    assert "daily at 04:30, within 22:00-06:00 (Asia/Seoul)" in words(client, UNTAGGED)
    assert 'value="30 4 * * *"' in staff_client.get(url).content.decode()
    entry = Entry.objects.get(act=Entry.Act.TIMETABLE)
    assert entry.detail == "untagged cron 30 4 * * * 22:00-06:00 Asia/Seoul"
    assert "said when cleanup of local is due" in words(client, "/activity")
    assert 'value="72"' in staff_client.get(UNTAGGED).content.decode()
    staff_client.post(url, {"when": "by-hand", "grace_hours": "72"})
    assert Timetable.objects.get().next_at is None
    assert "It runs only when somebody says so." in words(client, UNTAGGED)


@pytest.mark.parametrize(("minutes", "shown"), [(90, "90"), (120, "2"), (2880, "2")])
def test_a_schedule_that_a_script_has_set_is_shown_as_it_is(
    staff_client: Client, local: Registry, minutes: int, shown: str
) -> None:
    said = written(Schedule(When.EVERY, every=minutes))
    Timetable.objects.create(registry=local, work=Timetable.Work.UNTAGGED, schedule=said)
    url = f"{UNTAGGED}/schedule/local"
    form = Page(staff_client.get(url).content.decode())
    assert [field["value"] for field in form.all("input", name="every")] == [shown]
    [unit] = [found["value"] for found in form.all("option") if "selected" in found]
    staff_client.post(url, {"when": "every", "every": shown, "unit": unit, "zone": "UTC", "grace_hours": "24"})
    assert Timetable.objects.get().read().every == minutes


@pytest.mark.parametrize(
    ("field", "value"),
    [("cron", "* * * * *"), ("cron", ""), ("zone", "Nowhere/At all"), ("window", "9-5"), ("grace_hours", "-1")],
)
def test_a_schedule_that_is_none_is_said_at_its_field(
    staff_client: Client, local: Registry, field: str, value: str
) -> None:
    said = {"when": "cron", "cron": "30 4 * * *", "zone": "UTC", "window": "", "grace_hours": "24", field: value}
    response = staff_client.post(f"{UNTAGGED}/schedule/local", said)
    assert response.status_code == 422
    wrong = Page(response.content.decode()).all("div", **{"class": "errors"})
    assert [found["id"] for found in wrong] == [f"id_{field}_error"]
    assert not Timetable.objects.exists()


def test_the_pages_cost_few_queries_and_few_bytes(
    staff_client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("edge", "other"):
        rows.run(make.repository(make.registry(name), "team/app"), State.PLANNED, [rows.item("1")])
    left = [[f"team/{number}", "it could not be listed: permission denied"] for number in range(200)]
    items = [rows.item(str(number)) for number in range(60)]
    run = rows.run(app, State.UNDER_WAY, items, left_alone=left, left_alone_count=200)
    working(run)
    for url in (UNTAGGED, run.get_absolute_url()):
        with django_assert_max_num_queries(10):
            response = staff_client.get(url)
        assert len(gzip.compress(response.content)) < 10_000


def test_a_reader_sees_who_asked_and_nobody_else_does(client: Client, app: Repository, settings: Any) -> None:
    settings.ANONYMOUS_READ = True
    url = rows.run(app, State.PLANNED, [rows.item("1")], actor="ana.kivi").get_absolute_url()
    for path in (UNTAGGED, url):
        assert "ana.kivi" in words(client, path)
        assert "ana.kivi" not in words(Client(), path)
