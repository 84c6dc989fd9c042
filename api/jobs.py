"""Jobs: what runs, what ran, and what waits for an answer."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Listing, Moment, Url, answer, list_answer, moment, stamp
from api.door import reads
from api.links import origin_of
from api.parameters import Paging, page_of
from catalog.reads.keyset import Column
from jobs.figures import Figure
from jobs.models import Job

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}

router = Router(tags=["Jobs"])


class FigureJson(TypedDict):
    done: int
    total: Annotated[int | None, Field(description="null where it is not known, or where there is none.")]


class Progress(TypedDict):
    """What a job has done so far; null where it has not counted that."""

    phase: Annotated[str | None, Field(description="What is under way.", examples=["tags"])]
    repositories: FigureJson | None
    tags: FigureJson | None
    manifests: FigureJson | None
    configs: FigureJson | None
    images: Annotated[FigureJson | None, Field(description="Of sync.")]
    bytes: Annotated[FigureJson | None, Field(description="Of sync: of images that were begun. Of a check: read.")]
    rate: Annotated[int | None, Field(description="Of sync: bytes a second, lately.")]
    seconds_left: Annotated[int | None, Field(description="Of sync: by how long images took lately.")]
    problems: int


class JobLinks(TypedDict):
    self: Url
    page: Annotated[str, Field(description="The page for people.")]


class JobJson(TypedDict):
    id: int
    kind: Annotated[str, Field(examples=["scan"])]
    title: Annotated[str, Field(examples=["Scan of local"])]
    state: Annotated[str, Field(description="queued, running, asking (waits for an answer), done, failed or stopped.")]
    message: Annotated[str | None, Field(description="How it ended, in a sentence.")]
    progress: Progress
    attempts: int
    requested_by: Annotated[
        str | None, Field(description="Who asked for it; null where Berth or a command did, or you have not signed in.")
    ]
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    stop_requested: Annotated[bool, Field(description="It was asked to stop, and has not yet.")]
    links: JobLinks


@reads(router, "/jobs", "api-jobs", Listing[JobJson])
def list_jobs(request: HttpRequest, query: Query[Paging]) -> HttpResponse:
    """Jobs, the newest first.

    All that are kept: what runs, what ran, and what waits for an answer.
    """
    page = page_of(Job.objects.for_people().select_related("requested_by"), COLUMNS, "newest", query)
    return list_answer(request, page, [job_json(request, job) for job in page.rows])


@reads(router, "/jobs/{int:job_id}", "api-job", JobJson)
def read_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """One job.

    Ask again to watch it.
    """
    jobs = Job.objects.for_people().select_related("requested_by")
    return answer(request, job_json(request, get_object_or_404(jobs, pk=job_id)))


def job_json(request: HttpRequest, job: Job) -> JobJson:
    origin = origin_of(request)
    # As on the pages: who only may read here is not told who works here.
    person = job.requested_by if request.user.is_authenticated else None
    return {
        "id": job.pk,
        "kind": job.kind,
        "title": job.title,
        "state": job.state,
        "message": job.message or None,
        "progress": _progress(job),
        "attempts": job.attempts,
        "requested_by": person.get_username() if person else None,
        "created_at": stamp(job.created_at),
        "started_at": moment(job.started_at),
        "finished_at": moment(job.finished_at),
        "stop_requested": job.stop_requested,
        "links": {
            "self": f"{origin}{reverse('api-jobs')}/{job.pk}",
            "page": f"{origin}{reverse('job', args=[job.pk])}",
        },
    }


def _progress(job: Job) -> Progress:
    phase, problems = job.figure("phase"), Figure.read(job.figure("problems"))
    return {
        "phase": phase if isinstance(phase, str) else None,
        "repositories": _figure(job, "repositories"),
        "tags": _figure(job, "tags"),
        "manifests": _figure(job, "manifests"),
        "configs": _figure(job, "configs"),
        "images": _figure(job, "images"),
        "bytes": _figure(job, "bytes"),
        "rate": _count(job, "rate"),
        "seconds_left": _count(job, "seconds_left"),
        "problems": problems.done if problems else 0,
    }


def _count(job: Job, name: str) -> int | None:
    figure = Figure.read(job.figure(name))
    return figure.done if figure else None


def _figure(job: Job, name: str) -> FigureJson | None:
    figure = Figure.read(job.figure(name))
    return {"done": figure.done, "total": figure.total} if figure else None
