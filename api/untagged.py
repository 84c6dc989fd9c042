"""Runs over untagged manifests: what nothing reaches, why it goes, and the verbs to delete it, go on, and stop."""

from __future__ import annotations

from typing import Annotated, Final

from django.db.models import QuerySet
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
from cleanup.models import UntaggedItem, UntaggedRun
from cleanup.untagged import services
from registries.models import Registry, for_asking

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
ITEM_COLUMNS: Final = {"position": Column("position", int, is_unique=True)}

router = Router(tags=["Cleanup"])


class LeftAloneJson(TypedDict):
    """A repository of which something could not be read, so nothing of it is judged."""

    repository: str
    why: str


class UntaggedLinks(TypedDict):
    self: Url
    items: Annotated[Url, Field(description="What goes.")]
    carry_on: Annotated[Url, Field(description="POST here to carry out what is planned, or the rest of it.")]
    stop: Annotated[Url, Field(description="POST here to stop it.")]
    page: Annotated[str, Field(description="The page for people.")]


class UntaggedRunJson(TypedDict):
    id: int
    registry: Annotated[str, Field(examples=["local"])]
    state: Annotated[str, Field(description="new, planned, under-way, done or broken-off.")]
    source: Annotated[
        str | None,
        Field(description="folder: all that lies there; catalog: what scans have seen; null: not planned yet."),
    ]
    source_note: Annotated[str | None, Field(description="Why the storage folder was not read.")]
    grace_hours: Annotated[int, Field(description="What was younger stays.", examples=[24])]
    before: Annotated[Moment | None, Field(description="What came later was younger.")]
    found: Annotated[int, Field(description="Manifests that were judged, in all repositories.")]
    stays: Annotated[
        dict[str, int],
        Field(
            description="How many of them stay, by the strongest reason: tagged, pinned, trash, fresh, part, attached"
            " or tangled."
        ),
    ]
    frees: Annotated[Bytes, Field(description="What a sweep can free once they are deleted.")]
    left_alone: Annotated[list[LeftAloneJson], Field(description="The first repositories that were not judged.")]
    left_alone_count: int
    message: Annotated[str | None, Field(description="How it ended, in a sentence.")]
    who: Annotated[
        str | None, Field(description="Who asked for it; null: its schedule, a command, or you have not signed in.")
    ]
    created_at: Moment
    planned_at: Moment | None
    began_at: Moment | None
    ended_at: Moment | None
    job: Annotated[JobJson | None, Field(description="The job that carries it out, or did last.")]
    links: UntaggedLinks


class UntaggedItemJson(TypedDict):
    position: int
    repository: Annotated[str, Field(examples=["team/app"])]
    digest: DigestText
    kind: Annotated[str | None, Field(examples=["image"])]
    size: Annotated[Bytes, Field(description="Of its blobs.")]
    since: Annotated[Moment | None, Field(description="When it was pushed, or lost its last tag.")]
    why: Annotated[str, Field(description="Why it goes.")]
    state: Annotated[str, Field(description="planned, done (deleted), skipped (left alone) or failed.")]
    note: Annotated[str | None, Field(description="Why it was left alone, or failed.")]
    plan: Annotated[Url | None, Field(description="The plan that deleted it, or tried to.")]


class RunQuery(Paging):
    registry: Text = Field("", description="Only of the registry of this name.")
    state: UntaggedRun.State | None = Field(None, description="Only what is in this state.")


class ItemQuery(Paging):
    state: UntaggedItem.State | None = Field(None, description="Only what is in this state.")


class UntaggedOrder(Order):
    registry: Text = Field(examples=["local"])
    only_plan: bool = Field(default=False, description="Only say what would go: nothing is deleted.")
    grace_hours: int = Field(
        services.GRACE, ge=0, le=services.MOST_GRACE, description="What was pushed, or lost its last tag, later stays."
    )


@reads(router, "/untagged", "api-untagged", Listing[UntaggedRunJson])
def list_runs(request: HttpRequest, query: Query[RunQuery]) -> HttpResponse:
    """Runs over untagged manifests, the newest first.

    Each found what no tag, index, subject, trash entry or pin reaches.
    """
    rows = _runs()
    if query.registry:
        rows = rows.filter(registry__name=query.registry)
    if query.state:
        rows = rows.filter(state=query.state)
    page = page_of(rows, COLUMNS, "newest", query)
    return list_answer(request, page, [run_json(request, run) for run in page.rows])


@acts(router, "POST", "/untagged", "api-untagged-begin", {202: UntaggedRunJson})
def begin(request: HttpRequest, order: UntaggedOrder) -> HttpResponse:
    """Find what nothing reaches, and delete it.

    Into the trash; with `only_plan` it is only found. A worker does it: ask for the run again to watch it. Where one of
    this registry is under way, that is the answer.
    """
    registry = Registry.objects.active().filter(name=order.registry).first()
    if registry is None:
        raise Refusal.of("registry", "no registry of ours has this name")
    person = person_of(request)
    run, _ = services.begin(registry, person, only_plan=order.only_plan, grace_hours=order.grace_hours)
    return _begun(request, run.pk)


@reads(router, "/untagged/{int:untagged_id}", "api-untagged-run", UntaggedRunJson)
def read_run(request: HttpRequest, untagged_id: int) -> HttpResponse:
    """One run.

    Ask again to watch it; its job says how far it is.
    """
    return answer(request, run_json(request, run_of(untagged_id)))


@reads(router, "/untagged/{int:untagged_id}/items", "api-untagged-items", Listing[UntaggedItemJson])
def list_items(request: HttpRequest, untagged_id: int, query: Query[ItemQuery]) -> HttpResponse:
    """What goes, and why.

    In the order in which it is deleted; each with what became of it.
    """
    items = run_of(untagged_id).items.select_related("repository")
    if query.state:
        items = items.filter(state=query.state)
    page = page_of(items, ITEM_COLUMNS, "position", query)
    return list_answer(request, page, [item_json(request, item) for item in page.rows])


@acts(router, "POST", "/untagged/{int:untagged_id}/carry-on", "api-untagged-carry-on", {202: UntaggedRunJson})
def carry_on(request: HttpRequest, untagged_id: int) -> HttpResponse:
    """Delete what a run has planned, or the rest of it.

    Each manifest is judged once more before it goes: what something reaches by now stays. Where another run of this
    registry is under way, that is the answer.
    """
    run = run_of(untagged_id)
    if run.state == UntaggedRun.State.DONE:
        raise Refusal(409, "It was carried out already.")
    at_work, _ = services.carry_on(run, person_of(request))
    return _begun(request, at_work.pk)


@acts(router, "POST", "/untagged/{int:untagged_id}/stop", "api-untagged-stop", {202: UntaggedRunJson})
def stop(request: HttpRequest, untagged_id: int) -> HttpResponse:
    """Stop a run.

    It ends between two manifests, and can be gone on with.
    """
    if not services.stop(run_of(untagged_id), person_of(request)):
        raise Refusal(409, "It is not under way.")
    return done_answer(run_json(request, run_of(untagged_id)), 202)


def run_of(untagged_id: int) -> UntaggedRun:
    return get_object_or_404(_runs(), pk=untagged_id)


def run_json(request: HttpRequest, run: UntaggedRun) -> UntaggedRunJson:
    origin = origin_of(request)
    itself = f"{origin}{reverse('api-untagged-run', args=[run.pk])}"
    return {
        "id": run.pk,
        "registry": run.registry.name,
        "state": run.state,
        "source": run.source or None,
        "source_note": run.source_note or None,
        "grace_hours": run.grace_hours,
        "before": moment(run.before),
        "found": run.found,
        "stays": dict(run.stays),
        "frees": run.frees,
        "left_alone": [{"repository": name, "why": why} for name, why in run.left_alone],
        "left_alone_count": run.left_alone_count,
        "message": run.message or None,
        "who": (run.actor or None) if request.user.is_authenticated else None,
        "created_at": stamp(run.created_at),
        "planned_at": moment(run.planned_at),
        "began_at": moment(run.began_at),
        "ended_at": moment(run.ended_at),
        "job": job_json(request, run.job) if run.job else None,
        "links": {
            "self": itself,
            "items": f"{itself}/items",
            "carry_on": f"{itself}/carry-on",
            "stop": f"{itself}/stop",
            "page": f"{origin}{run.get_absolute_url()}",
        },
    }


def item_json(request: HttpRequest, item: UntaggedItem) -> UntaggedItemJson:
    plan = f"{origin_of(request)}{reverse('api-plan', args=[item.plan_id])}" if item.plan_id else None
    return {
        "position": item.position,
        "repository": item.repository.name,
        "digest": item.digest,
        "kind": item.kind or None,
        "size": item.size,
        "since": moment(item.since),
        "why": item.why,
        "state": item.state,
        "note": item.note or None,
        "plan": plan,
    }


def _runs() -> QuerySet[UntaggedRun]:
    return UntaggedRun.objects.select_related("registry", "job__requested_by").defer(*for_asking("registry"))


def _begun(request: HttpRequest, untagged_id: int) -> HttpResponse:
    said = run_json(request, run_of(untagged_id))
    return done_answer(said, 202, location=said["links"]["self"])
