"""Sweeps while the registry runs: what each found, what became of each blob, and the verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Bytes, DigestText, Listing, Moment, Url, answer, done_answer, list_answer, moment, stamp
from api.door import acts, person_of, reads
from api.jobs import JobJson, job_json
from api.links import origin_of
from api.orders import Order
from api.parameters import Paging, Text, page_of
from api.problems import Refusal
from catalog.reads.keyset import Column
from cleanup.models import Sweep, SweptBlob
from cleanup.models.sweeps import SweepQuerySet
from cleanup.sweeping import services
from cleanup.sweeping.ground import terms_of
from cleanup.sweeping.services import Times
from cleanup.sweeping.terms import LEAST_GRACE, MOST_GRACE, MOST_HOLD
from jobs.running import JobFailed
from registries.models import Registry, for_asking

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
BLOB_COLUMNS: Final = {"size": Column("size", int, largest_first=True)}
_OVER: Final = "It is over."
_NOTHING_ASIDE: Final = "Nothing lies aside because of it."

router = Router(tags=["Sweeps"])


class SweepLinks(TypedDict):
    self: Url
    blobs: Annotated[Url, Field(description="What it found.")]
    carry_on: Annotated[Url, Field(description="POST here to carry out what is planned, or the rest of it.")]
    delete_now: Annotated[Url, Field(description="POST here to delete what lies aside before its time.")]
    undo: Annotated[Url, Field(description="POST here to put back all that lies aside.")]
    stop: Annotated[Url, Field(description="POST here to stop it.")]
    page: Annotated[str, Field(description="The page for people.")]


class SweepJson(TypedDict):
    id: int
    registry: Annotated[str, Field(examples=["local"])]
    state: Annotated[str, Field(description="new, planned, under-way, holding, done or broken-off.")]
    grace_seconds: Annotated[int, Field(description="What is younger is left alone.")]
    settle_seconds: Annotated[int, Field(description="How long it waits before it looks again.")]
    hold_seconds: Annotated[int, Field(description="How long what was moved aside can be put back.")]
    manifests: Annotated[int, Field(description="That were read to know what is in use.")]
    found: Annotated[int, Field(description="Blobs that nothing refers to.")]
    found_bytes: Bytes
    left_uploads: Annotated[int, Field(description="Uploads that nobody went on with.")]
    upload_bytes: Bytes
    message: Annotated[str | None, Field(description="How it ended, in a sentence.")]
    who: Annotated[
        str | None, Field(description="Who asked for it; null: its schedule, a command, or you have not signed in.")
    ]
    created_at: Moment
    planned_at: Moment | None
    began_at: Moment | None
    resumes_at: Annotated[Moment | None, Field(description="When what lies aside is looked at once more, and goes.")]
    ended_at: Moment | None
    job: JobJson | None
    links: SweepLinks


class SweptBlobJson(TypedDict):
    digest: DigestText
    size: Bytes
    state: Annotated[
        str,
        Field(description="planned, begun, aside, deleted, kept (used again) or put-back.", examples=["aside"]),
    ]
    repositories: Annotated[list[str], Field(description="That linked it.")]


class SweepQuery(Paging):
    registry: Text = Field("", description="Only of the registry of this name.")
    state: Sweep.State | None = Field(None, description="Only what is in this state.")


class BlobQuery(Paging):
    state: SweptBlob.State | None = Field(None, description="Only what is in this state.")


class SweepOrder(Order):
    """What is to be swept. What is left out is as the terms of the registry say."""

    registry: Text = Field(examples=["local"])
    only_plan: bool = Field(default=False, description="Only say what would go.")
    grace_seconds: int | None = Field(default=None, ge=LEAST_GRACE, le=MOST_GRACE, description="What is younger stays.")
    hold_seconds: int | None = Field(default=None, ge=0, le=MOST_HOLD, description="0 deletes at once.")


@reads(router, "/sweeps", "api-sweeps", Listing[SweepJson])
def list_sweeps(request: HttpRequest, query: Query[SweepQuery]) -> HttpResponse:
    """Sweeps, the newest first.

    Each looked for blobs that no manifest names, while the registry ran.
    """
    rows = _sweeps()
    if query.registry:
        rows = rows.filter(registry__name=query.registry)
    if query.state:
        rows = rows.filter(state=query.state)
    page = page_of(rows, COLUMNS, "newest", query)
    return list_answer(request, page, [sweep_json(request, row) for row in page.rows])


@acts(router, "POST", "/sweeps", "api-sweep-begin", {202: SweepJson})
def begin(request: HttpRequest, order: SweepOrder) -> HttpResponse:
    """Sweep a registry, or only plan it.

    A worker does it: ask for the sweep again to watch it. Where one of this registry is under way, that is the answer.
    It refuses where sweeps are stopped; where the registry cannot be swept safely, its `message` says why.
    """
    registry = Registry.objects.active().filter(name=order.registry).first()
    if registry is None:
        raise Refusal.of("registry", "no registry of ours has this name")
    terms = terms_of(registry)
    times = Times(
        terms.grace_seconds if order.grace_seconds is None else order.grace_seconds,
        terms.settle_seconds,
        terms.hold_seconds if order.hold_seconds is None else order.hold_seconds,
    )
    try:
        sweep, _ = services.begin(registry, person_of(request), only_plan=order.only_plan, times=times)
    except JobFailed as reason:
        raise Refusal(409, str(reason)) from reason
    return _begun(request, sweep.pk)


@reads(router, "/sweeps/{int:sweep_id}", "api-sweep", SweepJson)
def read_sweep(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """One sweep.

    Ask again to watch it; its job says how far it is.
    """
    return answer(request, sweep_json(request, sweep_of(sweep_id)))


@reads(router, "/sweeps/{int:sweep_id}/blobs", "api-sweep-blobs", Listing[SweptBlobJson])
def list_blobs(request: HttpRequest, sweep_id: int, query: Query[BlobQuery]) -> HttpResponse:
    """What a sweep found, the largest first.

    Each with the repositories that linked it, and what became of it.
    """
    rows = sweep_of(sweep_id).blobs.all()
    if query.state:
        rows = rows.filter(state=query.state)
    page = page_of(rows, BLOB_COLUMNS, "size", query)
    return list_answer(request, page, [blob_json(row) for row in page.rows])


@acts(router, "POST", "/sweeps/{int:sweep_id}/carry-on", "api-sweep-carry-on", {202: SweepJson})
def carry_on(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """Carry out what a sweep has planned, or the rest of it.

    What came into use since is left alone.
    """
    sweep = sweep_of(sweep_id)
    if sweep.state == Sweep.State.DONE:
        raise Refusal(409, _OVER)
    return _done(request, sweep, lambda: services.carry_on(sweep, person_of(request)))


@acts(router, "POST", "/sweeps/{int:sweep_id}/delete-now", "api-sweep-delete-now", {202: SweepJson})
def delete_now(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """Delete what lies aside because of a sweep, before its time.

    All manifests are read once more first. What is deleted cannot be put back.
    """
    sweep = sweep_of(sweep_id)
    _check_holds(sweep)
    return _done(request, sweep, lambda: services.delete_now(sweep, person_of(request)))


@acts(router, "POST", "/sweeps/{int:sweep_id}/undo", "api-sweep-undo", {202: SweepJson})
def undo(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """Put back all that lies aside because of a sweep.

    Its data, and every link that it had; also where sweeps are stopped.
    """
    sweep = sweep_of(sweep_id)
    _check_holds(sweep)
    return _done(request, sweep, lambda: services.undo(sweep, person_of(request)))


@acts(router, "POST", "/sweeps/{int:sweep_id}/stop", "api-sweep-stop", {202: SweepJson})
def stop(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """Stop a sweep.

    It ends between two blobs; what lies aside by then can be put back, or goes when its time is over.
    """
    if not services.stop(sweep_of(sweep_id), person_of(request)):
        raise Refusal(409, "It is not under way.")
    return _begun(request, sweep_id)


def sweep_of(sweep_id: int) -> Sweep:
    return get_object_or_404(_sweeps(), pk=sweep_id)


def sweep_json(request: HttpRequest, sweep: Sweep) -> SweepJson:
    origin = origin_of(request)
    here = f"{origin}{reverse('api-sweeps')}/{sweep.pk}"
    return {
        "id": sweep.pk,
        "registry": sweep.registry.name,
        "state": sweep.state,
        "grace_seconds": sweep.grace_seconds,
        "settle_seconds": sweep.settle_seconds,
        "hold_seconds": sweep.hold_seconds,
        "manifests": sweep.manifests,
        "found": sweep.found,
        "found_bytes": sweep.found_bytes,
        "left_uploads": sweep.left_uploads,
        "upload_bytes": sweep.upload_bytes,
        "message": sweep.message or None,
        "who": (sweep.actor or None) if request.user.is_authenticated else None,
        "created_at": stamp(sweep.created_at),
        "planned_at": moment(sweep.planned_at),
        "began_at": moment(sweep.began_at),
        "resumes_at": moment(sweep.resumes_at),
        "ended_at": moment(sweep.ended_at),
        "job": job_json(request, sweep.job) if sweep.job else None,
        "links": {
            "self": here,
            "blobs": f"{here}/blobs",
            "carry_on": f"{here}/carry-on",
            "delete_now": f"{here}/delete-now",
            "undo": f"{here}/undo",
            "stop": f"{here}/stop",
            "page": f"{origin}{sweep.get_absolute_url()}",
        },
    }


def blob_json(blob: SweptBlob) -> SweptBlobJson:
    repositories = sorted({str(repository) for repository, _ in blob.links})
    return {"digest": blob.digest, "size": blob.size, "state": blob.state, "repositories": repositories}


def _check_holds(sweep: Sweep) -> None:
    if not sweep.blobs.unsettled().exists():
        raise Refusal(409, _NOTHING_ASIDE)


def _sweeps() -> SweepQuerySet:
    return Sweep.objects.select_related("registry", "job__requested_by").defer(*for_asking("registry"))


def _done(request: HttpRequest, sweep: Sweep, verb: Callable[[], object]) -> HttpResponse:
    """Raises Refusal."""
    try:
        verb()
    except JobFailed as reason:
        raise Refusal(409, str(reason)) from reason
    return _begun(request, sweep.pk)


def _begun(request: HttpRequest, sweep_id: int) -> HttpResponse:
    told = sweep_json(request, sweep_of(sweep_id))
    return done_answer(told, 202, location=told["links"]["self"])
