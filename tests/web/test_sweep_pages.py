"""The pages of sweeps and the overview of cleanup: what they tell, and who may do what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import Entry
from cleanup.halting import halt
from cleanup.models import Policy, RetentionRun, Sweep, SweepTerms, SweptBlob, SweptUpload, UntaggedRun
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from tests.web.test_hostile_text import CORPUS

pytestmark = pytest.mark.django_db(databases="__all__")

State = SweptBlob.State
SWEEPS = "/cleanup/sweeps"
TERMS = f"{SWEEPS}/terms/local"
GOOD = {
    "processes": "one",
    "cache": "redis",
    "redis_url": "redis://:hunter2@cache.example.org:6379/1",
    "grace": "36 h",
    "settle": "90 s",
    "hold": "7 d",
    "when": "every",
    "every": "2",
    "unit": "days",
    "cron": "",
    "zone": "Asia/Seoul",
    "window": "01:00-05:00",
}


@pytest.fixture
def swept(local: Registry) -> Registry:
    """One that can be swept."""
    local.storage = "/srv/registry"
    local.save()
    SweepTerms.objects.create(registry=local, processes="one", cache="inmemory")
    return local


def sweep(where: Registry, state: Sweep.State = Sweep.State.HOLDING, **more: Any) -> Sweep:
    times = {"grace_seconds": 86_400, "settle_seconds": 60, "hold_seconds": 86_400}
    return Sweep.objects.create(registry=where, state=state, **{**times, "planned_at": timezone.now(), **more})


def blob(of: Sweep, number: int, state: State = State.ASIDE, **more: Any) -> SweptBlob:
    digest = make.blob_digest(f"blob {number}")
    given = {"size": 1_000_000 * (number + 1), "links": [["team/app", digest]], **more}
    return SweptBlob.objects.create(sweep=of, digest=digest, state=state, **given)


def read(client: Client, path: str) -> Page:
    response = client.get(path)
    assert response.status_code == 200
    return Page(response.content.decode())


def post(client: Client, path: str, **said: str) -> Any:
    return client.post(path, said)


def test_a_registry_of_which_nothing_was_said_says_what_is_lacking(staff_client: Client, local: Registry) -> None:
    assert "Berth does not know its storage folder." in read(staff_client, SWEEPS).words
    Registry.objects.update(storage="/srv/registry")
    page = read(staff_client, SWEEPS)
    assert "Nobody has said yet how many processes" in page.words
    assert page.all("a", href=TERMS)
    assert "Sweep now" not in page.words
    assert "Nothing was swept yet" in page.words


def test_readers_see_sweeps_and_no_button(client: Client, swept: Registry) -> None:
    found = sweep(swept)
    blob(found, 1)
    for path in ("/cleanup", SWEEPS, found.get_absolute_url()):
        page = read(client, path)
        assert not [form for form in page.all("form") if "/cleanup" in (form.get("action") or "")]
    assert client.get(TERMS).status_code == 403


@pytest.mark.parametrize(("how", "only_plan"), [("plan", True), ("now", None), ("", True)])
def test_staff_begin_a_sweep(staff_client: Client, swept: Registry, how: str, only_plan: bool | None) -> None:
    response = post(staff_client, f"{SWEEPS}/begin", registry="local", how=how)
    found, job = Sweep.objects.get(), Job.objects.get(kind="sweep")
    assert response["Location"] == found.get_absolute_url()
    assert job.params.get("only_plan") is only_plan
    assert found.actor == "staff"
    assert "Waits for a worker" in read(staff_client, found.get_absolute_url()).words


def test_where_sweeps_are_stopped_nobody_begins_one(staff_client: Client, swept: Registry) -> None:
    halt(swept, "Check 7 found team/app:1.0 broken.")
    assert "Sweep now" not in read(staff_client, SWEEPS).words
    response = staff_client.post(f"{SWEEPS}/begin", {"registry": "local"}, follow=True)
    assert "Sweeps of this registry are stopped: Check 7 found" in Page(response.content.decode()).words
    assert not Sweep.objects.exists()


def test_a_plan_says_what_would_go_and_is_carried_out(staff_client: Client, swept: Registry) -> None:
    planned = sweep(swept, Sweep.State.PLANNED, found=2, found_bytes=5_000_000, left_uploads=1, upload_bytes=7)
    for number in range(2):
        blob(planned, number, State.PLANNED)
    SweptUpload.objects.create(sweep=planned, repository="team/app", uuid="u", size=7)
    page = read(staff_client, planned.get_absolute_url())
    for words in ("2 blobs aside", "5.0 MB", "team/app", "Uploads that were left"):
        assert words in page.words
    assert "Put all back" not in page.words

    post(staff_client, f"{planned.get_absolute_url()}/carry-on")
    assert Job.objects.get(kind="sweep").params["sweep"] == planned.pk


def test_what_is_deleted_at_once_says_so_on_its_button(staff_client: Client, swept: Registry) -> None:
    planned = sweep(swept, Sweep.State.PLANNED, found=1, hold_seconds=0)
    blob(planned, 1, State.PLANNED)
    assert "Delete 1 blob" in read(staff_client, planned.get_absolute_url()).words


def test_what_lies_aside_is_put_back_or_deleted_after_a_question(staff_client: Client, swept: Registry) -> None:
    holding = sweep(swept, found=1, resumes_at=timezone.now() + timedelta(hours=5))
    blob(holding, 1)
    page = read(staff_client, holding.get_absolute_url())
    assert "Put all back" in page.words
    assert "Delete now" in page.words
    question = read(staff_client, f"{holding.get_absolute_url()}/delete-now")
    assert "1 blob, 2.0 MB, goes for good." in question.words
    assert not Job.objects.exists()

    post(staff_client, f"{holding.get_absolute_url()}/delete-now")
    job = Job.objects.get(kind="sweep")
    assert job.params["at_once"]
    post(staff_client, f"{holding.get_absolute_url()}/stop")
    job.refresh_from_db()
    assert job.state == Job.State.STOPPED

    post(staff_client, f"{holding.get_absolute_url()}/undo")
    assert Job.objects.unfinished().get().params["undo"]


def test_whoever_removes_a_registry_hears_of_what_lies_aside(staff_client: Client, swept: Registry) -> None:
    page = "/registries/local/remove"
    assert "aside" not in read(staff_client, page).words
    blob(sweep(swept), 1)
    assert "A sweep has moved one blob of it aside" in read(staff_client, page).words


def test_of_a_registry_that_was_removed_nothing_can_be_begun(staff_client: Client, swept: Registry) -> None:
    holding = sweep(swept)
    blob(holding, 1)
    Registry.objects.update(retired_at=timezone.now())
    assert "Put all back" not in read(staff_client, holding.get_absolute_url()).words
    assert f"Sweep {holding.pk}" in read(staff_client, SWEEPS).words
    assert post(staff_client, f"{SWEEPS}/begin", registry="local").status_code == 404


def test_where_another_sweep_is_under_way_that_is_said(staff_client: Client, swept: Registry) -> None:
    holding = sweep(swept)
    blob(holding, 1)
    post(staff_client, f"{SWEEPS}/begin", registry="local", how="now")
    response = post(staff_client, f"{holding.get_absolute_url()}/undo")
    assert "“Sweep of local” is under way." in read(staff_client, response["Location"]).words
    assert "undo" not in Job.objects.get().params


def test_the_live_part_asks_again_until_it_is_over(client: Client, swept: Registry) -> None:
    progress = {"phase": "unlinking", "repositories": [3, 3], "blobs": [24, 40]}
    job = make.job(swept, Job.State.RUNNING, kind="sweep", progress=progress)
    found = sweep(swept, Sweep.State.UNDER_WAY, job=job, found=40)
    part = client.get(found.get_absolute_url(), headers={"HX-Request": "true"})
    words = Page(part.content.decode()).words
    assert "Moving blobs aside" in words
    assert "24 of 40 blobs" in words
    assert "HX-Refresh" not in part.headers
    Job.objects.update(state=Job.State.DONE)
    assert client.get(found.get_absolute_url(), headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_blobs_are_paged_the_largest_first_and_by_what_became_of_them(client: Client, swept: Registry) -> None:
    found = sweep(swept, found=40)
    for number in range(40):
        links = [[f"team/app-{n}", "d"] for n in range(5)] if number == 39 else []
        blob(found, number, State.KEPT if number < 3 else State.ASIDE, links=links)
    page = read(client, found.get_absolute_url())
    assert "28 of 40 blobs" in page.words
    assert "40.0 MB" in page.words
    assert "and 2 more" in page.words
    assert make.blob_digest("blob 0")[7:19] not in page.words
    kept = read(client, f"{found.get_absolute_url()}?end=kept")
    assert "3 blobs" in kept.words
    assert "None came to that end." in read(client, f"{found.get_absolute_url()}?end=deleted").words


def test_the_list_is_narrowed_to_a_registry(client: Client, swept: Registry) -> None:
    edge = make.registry("edge")
    sweep(swept)
    sweep(edge, Sweep.State.DONE, message="It was done already.")
    assert "1 sweep" in read(client, f"{SWEEPS}?registry=edge").words
    assert "2 sweeps" in read(client, SWEEPS).words
    assert "No registry of this name" in read(client, f"{SWEEPS}?registry=nothing").words


def test_terms_are_said_in_human_units_and_the_address_is_never_shown(staff_client: Client, swept: Registry) -> None:
    response = staff_client.post(TERMS, GOOD, follow=True)
    assert "The terms of the sweeps of local are saved." in Page(response.content.decode()).words
    terms = SweepTerms.objects.get()
    assert terms.redis_url == GOOD["redis_url"]
    assert (terms.grace_seconds, terms.settle_seconds, terms.hold_seconds) == (129_600, 90, 604_800)
    assert (terms.when, terms.every, terms.window) == ("every", 2880, "01:00-05:00")
    assert terms.next_at is not None

    text = staff_client.get(TERMS).content.decode()
    assert "hunter2" not in text
    assert "One is stored." in text
    assert 'value="36 h"' in text
    assert Entry.objects.get(act=Entry.Act.REGISTRY_CHANGE).detail == "sweep_terms"

    staff_client.post(TERMS, {**GOOD, "redis_url": ""})
    assert SweepTerms.objects.get().redis_url == GOOD["redis_url"]
    assert Entry.objects.count() == 1
    staff_client.post(TERMS, {**GOOD, "cache": "none", "redis_url": ""})
    assert SweepTerms.objects.get().redis_url == ""


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("grace", "soon", "A number and a unit"),
        ("grace", "5 min", "From an hour to a year."),
        ("settle", "2 h", "At most an hour."),
        ("hold", "91 d", "At most 90 days."),
        ("redis_url", "", "Its address is needed"),
        ("redis_url", "http://hunter2@host", "An address as in redis://"),
        ("window", "25:00", "This cannot be understood."),
        ("zone", "Nowhere/Land", "This cannot be understood."),
        ("every", "0", "greater than or equal to 1"),
        ("when", "event", "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_not_kept(
    staff_client: Client, swept: Registry, field: str, value: str, words: str
) -> None:
    response = staff_client.post(TERMS, {**GOOD, field: value})
    assert response.status_code == 422
    text = response.content.decode()
    assert words in Page(text).words
    assert "hunter2" not in text
    assert SweepTerms.objects.get().cache == "inmemory"


def test_of_the_local_registry_only_the_times_are_asked(staff_client: Client, swept: Registry) -> None:
    Registry.objects.update(embedded=True)
    assert "one process, without a cache" in read(staff_client, TERMS).words
    assert staff_client.post(TERMS, {**GOOD, "cache": "redis"}).status_code == 302
    terms = SweepTerms.objects.get()
    assert (terms.processes, terms.cache, terms.redis_url) == ("one", "none", "")


def test_the_overview_tells_of_each_registry(client: Client, swept: Registry) -> None:
    edge = make.registry("edge")
    Policy.objects.create(registry=swept, name="all", position=1, terms={})
    RetentionRun.objects.create(registry=swept, state=RetentionRun.State.PLANNED, frees=3_000_000)
    UntaggedRun.objects.create(registry=swept, state=UntaggedRun.State.DONE, message="7 were deleted.")
    blob(sweep(swept), 1)
    halt(edge, "Something is broken.")
    page = read(client, "/cleanup")
    for words in (
        "1 policy is on",
        "would free 3.0 MB",
        "7 were deleted.",
        "1 blob lies aside, 2.0 MB",
        "Sweeps are stopped",
    ):
        assert words in page.words


def test_without_a_registry_the_pages_say_so(client: Client, db: None) -> None:
    for path in ("/cleanup", SWEEPS):
        assert "No registry yet" in read(client, path).words


def test_the_pages_cost_few_queries(
    client: Client, swept: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("edge", "other"):
        where = make.registry(name)
        halt(where, "why")
        job = make.job(where, Job.State.RUNNING, kind="sweep")
        found = sweep(where, job=job, left_uploads=1)
        for number in range(30):
            blob(found, number)
        SweptUpload.objects.create(sweep=found, repository="team/app", uuid="u", size=7)
    for path in ("/cleanup", SWEEPS, found.get_absolute_url()):
        client.get(path)
        with django_assert_max_num_queries(10):
            read(client, path)


def test_it_speaks_korean(client: Client, swept: Registry) -> None:
    found = sweep(swept, message="36 blobs were deleted, 4,291 bytes. 4 are used again and stay.")
    response = client.get(found.get_absolute_url(), headers={"Accept-Language": "ko"})
    assert "블롭 36개, 4,291바이트를 삭제했습니다. 4개는 다시 쓰여 남습니다." in Page(response.content.decode()).words


def test_what_a_registry_said_is_text(client: Client, swept: Registry) -> None:
    found = sweep(swept, Sweep.State.BROKEN_OFF, message=CORPUS[0])
    for path in (found.get_absolute_url(), SWEEPS, "/cleanup"):
        page = read(client, path)
        assert CORPUS[0][:100] in page.words
        assert not page.all("img")
