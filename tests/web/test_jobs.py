from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import Entry
from catalog import folding
from jobs import running
from jobs.models import Job
from registries.models import Registry
from tests.audit.furniture import entry
from tests.web import furniture as make
from tests.web.pages import Page
from web.job_progress import JobProgress

QUESTION = {"text": "Lose 212 of 900 tags?", "details": ["a: 180", "b: 32"], "yes": "Yes, gone", "no": "No, keep"}


def see(client: Client, url: str) -> Page:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode())


def poll(client: Client, url: str) -> tuple[int, Page]:
    response = client.get(url, headers={"HX-Request": "true"})
    return response.status_code, Page(response.content.decode())


@pytest.mark.parametrize(
    ("progress", "percent", "phase"),
    [
        ({}, None, "Starting"),
        ({"phase": "listing", "repositories": [0, None]}, None, "Listing repositories and tags"),
        ({"phase": "listing", "repositories": [5, 20]}, 25, "Listing repositories and tags"),
        ({"phase": "tags", "repositories": [1, 20], "tags": [50, 200]}, 25, "Reading tags"),
        ({"phase": "tags", "repositories": [1, 20], "tags": 50}, 5, "Reading tags"),
        ({"phase": "configs", "configs": [3, 4]}, 75, "Reading configs"),
        ({"phase": "configs", "configs": [0, 0]}, None, "Reading configs"),
        ({"phase": "tags", "tags": [300, 200]}, 100, "Reading tags"),
        ({"phase": "new words", "tags": [1, 2]}, None, "Starting"),
        ({"phase": 7, "repositories": "x", "tags": [1], "configs": {"a": 1}, "rate": "fast"}, None, "Starting"),
        ({"repositories": [True, "x"], "tags": True}, None, "Starting"),
    ],
)
def test_progress_is_read_as_it_comes(progress: dict[str, Any], percent: int | None, phase: str) -> None:
    shown = JobProgress(Job(state=Job.State.RUNNING, progress=progress))
    assert (shown.percent, shown.phase) == (percent, phase)
    assert shown.problems == 0
    assert shown.rate is None
    assert shown.seconds_left is None


def test_a_running_job_polls_itself(client: Client, local: Registry) -> None:
    progress = {"phase": "tags", "repositories": [7, 19], "tags": [512, 1316], "rate": 61.5, "seconds_left": 13}
    job = make.job(local, started_at=timezone.now(), progress=progress)
    page = see(client, f"/jobs/{job.pk}")
    assert page.all("div", id="live", **{"hx-get": f"/jobs/{job.pk}", "hx-trigger": "every 1s"})
    assert page.all("progress", value="38")
    for words in (
        "Reading tags",
        "512 of 1,316",
        "13 s left",
        "62 a second",
        "Started by Berth or from the command line",
    ):
        assert words in page.words
    status, part = poll(client, f"/jobs/{job.pk}")
    assert status == 200
    assert not part.all("html")
    assert part.all("div", id="live")
    assert part.all("p", id="job-asked", **{"hx-swap-oob": "true"})
    assert "queued just now" in part.words


@pytest.mark.parametrize("view", ["", "?as=row", "?as=strip"])
@pytest.mark.parametrize("state", ["done", "failed", "stopped", "asking"])
def test_polling_stops_with_the_job(client: Client, local: Registry, state: str, view: str) -> None:
    job = make.job(local, Job.State(state), message="So it ended.", question=QUESTION)
    status, part = poll(client, f"/jobs/{job.pk}{view}")
    assert status == 286
    assert not [found for _, found in part.elements if "hx-trigger" in found]


def test_the_list_shows_the_newest_first_and_who_asked(client: Client, local: Registry, staff_client: Client) -> None:
    make.job(local, Job.State.DONE, message="19 repositories.", started_at=timezone.now(), finished_at=timezone.now())
    asked = make.job(local, requested_by=make.person("ana", first_name="Ana", last_name="Kivi"))
    page = see(client, "/jobs")
    rows = [link["href"] for link in page.all("a") if "data-row" in link]
    assert rows[0] == f"/jobs/{asked.pk}"
    assert "Ana Kivi" in page.words
    assert "19 repositories." in page.words
    polling = [found["hx-get"] for _, found in page.elements if "hx-get" in found]
    assert polling == ["/search", f"/jobs/{asked.pk}?as=row"]


def test_no_job_yet_says_what_will_come(client: Client, db: None) -> None:
    assert "No job yet" in see(client, "/jobs").words


def test_the_list_costs_as_many_queries_for_60_jobs_as_for_10(
    client: Client, local: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ana = make.person("ana")
    for count in (10, 50):
        for _ in range(count):
            make.job(local, Job.State.DONE, requested_by=ana)
        with django_assert_num_queries(5):
            see(client, "/jobs")


def test_staff_stop_a_job(client: Client, staff_client: Client, local: Registry) -> None:
    job = make.job(local)
    assert see(staff_client, f"/jobs/{job.pk}").all("form", action=f"/jobs/{job.pk}/stop")
    assert not see(client, f"/jobs/{job.pk}").all("form", action=f"/jobs/{job.pk}/stop")
    staff_client.post(f"/jobs/{job.pk}/stop")
    job.refresh_from_db()
    assert job.stop_requested
    page = see(staff_client, f"/jobs/{job.pk}")
    assert "Stopping" in page.words
    assert not page.all("form", action=f"/jobs/{job.pk}/stop")


def test_stopping_what_has_ended_says_so(staff_client: Client, local: Registry) -> None:
    job = make.job(local, Job.State.DONE)
    response = staff_client.post(f"/jobs/{job.pk}/stop", follow=True)
    assert "The job had already ended." in Page(response.content.decode()).words


def test_staff_run_a_job_again(staff_client: Client, local: Registry) -> None:
    job = make.job(local, Job.State.FAILED, message="broken")
    first = staff_client.post(f"/jobs/{job.pk}/again")
    again = Job.objects.latest("id")
    assert first["Location"] == f"/jobs/{again.pk}"
    assert again.pk != job.pk
    response = staff_client.post(f"/jobs/{job.pk}/again", follow=True)
    assert "It is already under way: this is that job." in Page(response.content.decode()).words


@pytest.mark.parametrize("how", ["gone", "retired", "removal"])
def test_what_cannot_be_run_again_is_not_offered(staff_client: Client, local: Registry, how: str) -> None:
    job = make.job(local, Job.State.FAILED, message="broken", **({"kind": "removal"} if how == "removal" else {}))
    if how == "gone":
        local.delete()
    if how == "retired":
        Registry.objects.update(retired_at=timezone.now())
    assert not see(staff_client, f"/jobs/{job.pk}").all("form", action=f"/jobs/{job.pk}/again")
    response = staff_client.post(f"/jobs/{job.pk}/again", follow=True)
    assert "This cannot be run again" in Page(response.content.decode()).words
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "progress", "said"),
    [
        ("scan", {"phase": "listing", "repositories": [0, None], "problems": 0}, "The catalog is as the last complete"),
        (
            "scan",
            {"phase": "tags", "repositories": [4, 19], "problems": 0},
            "What was read until then is in the catalog",
        ),
        ("removal", {"phase": "removing", "rows": 3}, "Remove the registry once more"),
        ("fold-pulls", {"phase": "folding", "were": 500, "are": 3}, "No pull was lost"),
    ],
)
def test_a_failed_job_says_what_was_not_changed_and_what_to_try(
    client: Client, local: Registry, kind: str, progress: dict[str, Any], said: str
) -> None:
    job = make.job(local, Job.State.FAILED, kind=kind, message="connection refused", progress=progress)
    words = see(client, f"/jobs/{job.pk}").words
    assert said in words
    assert "Problems" not in words
    assert "Repositories 0" not in words
    assert ("Repositories 4 of 19" in words) == (progress["phase"] == "tags")


@pytest.mark.parametrize(("said", "state"), [("yes", Job.State.QUEUED), ("no", Job.State.STOPPED)])
def test_staff_answer_a_question(staff_client: Client, local: Registry, said: str, state: Job.State) -> None:
    job = make.job(local, Job.State.ASKING, question=QUESTION)
    page = see(staff_client, f"/jobs/{job.pk}")
    for words in ("Lose 212 of 900 tags?", "a: 180", "Yes, gone", "No, keep"):
        assert words in page.words
    assert staff_client.post(f"/jobs/{job.pk}/answer", {"answer": said}).status_code == 302
    job.refresh_from_db()
    assert job.state == state
    response = staff_client.post(f"/jobs/{job.pk}/answer", {"answer": said}, follow=True)
    assert "waits for no answer any more" in Page(response.content.decode()).words


def test_an_answer_is_yes_or_no(staff_client: Client, local: Registry) -> None:
    job = make.job(local, Job.State.ASKING, question=QUESTION)
    for said in ("", "maybe", "YES"):
        assert staff_client.post(f"/jobs/{job.pk}/answer", {"answer": said}).status_code == 400
    job.refresh_from_db()
    assert job.state == Job.State.ASKING


def test_readers_see_a_question_and_cannot_answer(client: Client, local: Registry) -> None:
    job = make.job(local, Job.State.ASKING, question=QUESTION)
    page = see(client, f"/jobs/{job.pk}")
    assert "Staff can answer" in page.words
    assert not page.all("button", name="answer")


def test_pulls_that_are_counted_together_are_a_job_and_an_entry(client: Client, staff_client: Client) -> None:
    """Of no registry: neither a link to one, nor a way to run it again."""
    entry(act=Entry.Act.PULL, since=None, at=timezone.now() - timedelta(days=40))
    folding.queue_due(timezone.now())
    job = Job.objects.get()
    waiting = see(client, f"/jobs/{job.pk}").words
    running.run(job.pk)
    done = see(staff_client, f"/jobs/{job.pk}").words
    Job.objects.update(state=Job.State.FAILED)
    failed = see(staff_client, f"/jobs/{job.pk}")

    said = "Entries of pulls counted together: 1. In their place: 1, of one day each."
    assert "Counting old pulls together" in waiting
    assert said in done
    assert "Berth tries again by itself, within the hour." in failed.words
    assert not failed.all("form", action=f"/jobs/{job.pk}/again")
    assert said in see(client, "/activity").words
    assert "Counting old pulls together" in see(client, "/jobs").words
