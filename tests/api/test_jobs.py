from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from api.answers import Listing
from api.jobs import JobJson
from jobs.models import Job
from registries.models import Registry
from tests.api.asking import ask, walk
from tests.web import furniture as make

LIST = Listing[JobJson]
PROGRESS = {
    "phase": "tags",
    "repositories": [7, 19],
    "tags": [512, None],
    "manifests": 88,
    "configs": "nonsense",
    "images": [3, 12],
    "bytes": [1_000, 4_000],
    "rate": 500,
    "seconds_left": None,
    "problems": 2,
}


def test_a_job_is_told_with_its_figures_and_who_asked(client: Client, local: Registry) -> None:
    now = timezone.now()
    job = make.job(local, progress=PROGRESS, requested_by=make.person("ana"), attempts=1, started_at=now)
    body = ask(client, f"/jobs/{job.pk}", JobJson)
    assert (body["id"], body["kind"], body["title"], body["state"]) == (job.pk, "scan", "Scan of local", "running")
    assert body["progress"] == {
        "phase": "tags",
        "repositories": {"done": 7, "total": 19},
        "tags": {"done": 512, "total": None},
        "manifests": {"done": 88, "total": None},
        "configs": None,
        "images": {"done": 3, "total": 12},
        "bytes": {"done": 1_000, "total": 4_000},
        "rate": 500,
        "seconds_left": None,
        "problems": 2,
    }
    assert (body["requested_by"], body["attempts"], body["stop_requested"]) == ("ana", 1, False)
    assert body["finished_at"] is None
    for link in body["links"].values():
        assert client.get(link).status_code == 200


def test_one_that_was_asked_to_stop_says_so_until_it_has(client: Client, local: Registry) -> None:
    job = make.job(local, stop_requested_at=timezone.now())
    assert ask(client, f"/jobs/{job.pk}", JobJson)["stop_requested"]
    Job.objects.update(state=Job.State.STOPPED, message="Stopped.", finished_at=timezone.now())
    body = ask(client, f"/jobs/{job.pk}", JobJson)
    assert (body["stop_requested"], body["message"]) == (False, "Stopped.")


@pytest.mark.parametrize("progress", [{}, {"phase": 5, "problems": None}, {"repositories": {"done": 1}}])
def test_progress_is_taken_as_it_comes(client: Client, local: Registry, progress: object) -> None:
    job = make.job(local, progress=progress)
    body = ask(client, f"/jobs/{job.pk}", JobJson)["progress"]
    assert (body["phase"], body["repositories"], body["problems"]) == (None, None, 0)


def test_the_newest_comes_first_and_pages_lead_on(client: Client, local: Registry) -> None:
    ids = [make.job(local, Job.State.DONE).pk for _ in range(7)]
    assert [item["id"] for item in ask(client, "/jobs", LIST)["items"]] == ids[::-1]
    forward, back = walk(client, "/jobs", limit=3)
    assert [len(page) for page in forward] == [3, 3, 1]
    assert back == forward[::-1]


def test_who_may_only_read_is_not_told_who_asked(local: Registry, settings: Settings) -> None:
    settings.ANONYMOUS_READ = True
    job = make.job(local, requested_by=make.person("ana"))
    assert ask(Client(), f"/jobs/{job.pk}", JobJson)["requested_by"] is None
    assert ask(Client(), "/jobs", LIST)["items"][0]["requested_by"] is None


def test_it_costs_as_many_queries_for_60_jobs_as_for_10(
    client: Client, local: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ana = make.person("ana")
    for count in (10, 50):
        for _ in range(count):
            make.job(local, Job.State.DONE, requested_by=ana)
        with django_assert_num_queries(4):
            client.get("/api/v1/jobs?limit=200")
