"""Garbage collections by commands: what each would remove, its commands, and the verbs to carry it out and stop it."""

from __future__ import annotations

from typing import Annotated, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Bytes, Listing, Moment, Url, answer, done_answer, list_answer, moment, stamp
from api.door import acts, person_of, reads
from api.jobs import JobJson, job_json
from api.links import origin_of
from api.orders import Order
from api.parameters import Paging, Text, page_of
from api.problems import Refusal
from catalog.reads.keyset import Column
from cleanup.classic import services
from cleanup.classic.ways import NoWay
from cleanup.models import ClassicRun, ClassicStep
from registries.models import Registry, for_asking

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
STEP_COLUMNS: Final = {"began": Column("id", int)}
_PATH: Final = "/garbage-collections"

router = Router(tags=["Cleanup"])


class CollectionLinks(TypedDict):
    self: Url
    steps: Annotated[Url, Field(description="Its commands.")]
    carry_on: Annotated[Url, Field(description="POST here to collect what a dry run found, or to try again.")]
    stop: Annotated[Url, Field(description="POST here to stop it.")]
    page: Annotated[str, Field(description="The page for people.")]


class CollectionJson(TypedDict):
    id: int
    registry: Annotated[str, Field(examples=["local"])]
    state: Annotated[
        str,
        Field(description="new, planned, under-way, done, broken-off, or stuck: the registry may still be read-only."),
    ]
    only_plan: Annotated[bool, Field(description="A dry run: it changes nothing.")]
    marked: Annotated[int | None, Field(description="Blobs that stay, by the last dry run; null before it.")]
    doomed: Annotated[int | None, Field(description="Blobs that go, or went.")]
    frees: Annotated[Bytes, Field(description="Of those whose size the catalog knows.")]
    of_unknown_size: Annotated[int, Field(description="How many others there are.")]
    in_trash: Annotated[int, Field(description="Images in the trash that cannot come back without them.")]
    closed: Annotated[bool, Field(description="Berth has made the registry read-only, and not opened it since.")]
    closed_at: Moment | None
    collected_at: Moment | None
    opened_at: Annotated[Moment | None, Field(description="When it was seen to take an upload again.")]
    message: Annotated[str | None, Field(description="How it ended, in a sentence.")]
    who: Annotated[
        str | None, Field(description="Who asked for it; null: its schedule, a command, or you have not signed in.")
    ]
    created_at: Moment
    began_at: Moment | None
    ended_at: Moment | None
    job: Annotated[JobJson | None, Field(description="The job that carries it out, or did last. It may ask.")]
    links: CollectionLinks


class StepJson(TypedDict):
    kind: Annotated[
        str, Field(description="dry-run, read-only-on, compare (a dry run once more), collect, read-only-off, restart.")
    ]
    state: Annotated[str, Field(description="begun, done, failed, too-long or cut-off.")]
    command: Annotated[list[str] | None, Field(description="Its words; null where you have not signed in.")]
    exit_code: Annotated[int | None, Field(description="Negative: the signal that killed it.")]
    marked: Annotated[int | None, Field(description="Blobs that stay, says garbage-collect.")]
    doomed: Annotated[int | None, Field(description="Blobs that go.")]
    output: Annotated[str | None, Field(description="The first and the last lines; null where you have not signed in.")]
    began_at: Moment
    ended_at: Moment | None


class CollectionQuery(Paging):
    registry: Text = Field("", description="Only of the registry of this name.")
    state: ClassicRun.State | None = Field(None, description="Only what is in this state.")


class CollectionOrder(Order):
    registry: Text = Field(examples=["local"])
    only_plan: bool = Field(default=False, description="A dry run: it says what would go, and changes nothing.")


@reads(router, _PATH, "api-garbage-collections", Listing[CollectionJson])
def list_collections(request: HttpRequest, query: Query[CollectionQuery]) -> HttpResponse:
    """Garbage collections by commands, the newest first.

    Each of a registry whose commands whoever runs Berth has set up.
    """
    rows = _runs()
    if query.registry:
        rows = rows.filter(registry__name=query.registry)
    if query.state:
        rows = rows.filter(state=query.state)
    page = page_of(rows, COLUMNS, "newest", query)
    return list_answer(request, page, [collection_json(request, run) for run in page.rows])


@acts(router, "POST", _PATH, "api-garbage-collection-begin", {202: CollectionJson})
def begin(request: HttpRequest, order: CollectionOrder) -> HttpResponse:
    """Collect the garbage of a registry, or see what that would remove.

    Meanwhile it is read-only, and it is restarted twice; a dry run does neither. Where much would go the job asks, and
    waits for an answer. Where one of this registry is under way, that is the answer. Without commands it is a 409.
    """
    registry = Registry.objects.active().filter(name=order.registry).first()
    if registry is None:
        raise Refusal.of("registry", "no registry of ours has this name")
    try:
        run, _ = services.begin(registry, person_of(request), only_plan=order.only_plan)
    except NoWay as reason:
        raise Refusal(409, reason.sentence) from reason
    return _begun(request, run.pk)


@reads(router, f"{_PATH}/{{int:collection_id}}", "api-garbage-collection", CollectionJson)
def read_collection(request: HttpRequest, collection_id: int) -> HttpResponse:
    """One garbage collection.

    Ask again to watch it.
    """
    return answer(request, collection_json(request, run_of(collection_id)))


@reads(router, f"{_PATH}/{{int:collection_id}}/steps", "api-garbage-collection-steps", Listing[StepJson])
def list_steps(request: HttpRequest, collection_id: int, query: Query[Paging]) -> HttpResponse:
    """Its commands, in the order in which they ran.

    Each stands there before it begins.
    """
    page = page_of(run_of(collection_id).steps.all(), STEP_COLUMNS, "began", query)
    is_told = request.user.is_authenticated
    return list_answer(request, page, [step_json(step, is_told=is_told) for step in page.rows])


@acts(
    router, "POST", f"{_PATH}/{{int:collection_id}}/carry-on", "api-garbage-collection-carry-on", {202: CollectionJson}
)
def carry_on(request: HttpRequest, collection_id: int) -> HttpResponse:
    """Collect what a dry run found, or try again what broke off.

    What there is to remove is looked at anew. A registry that was left read-only is opened, and no more. Where another
    one of this registry is under way, that is the answer.
    """
    run = run_of(collection_id)
    if run.state == ClassicRun.State.DONE and not run.is_closed:
        raise Refusal(409, "It was carried out already.")
    try:
        job = services.carry_on(run, person_of(request))
    except NoWay as reason:
        raise Refusal(409, reason.sentence) from reason
    return _begun(request, job.params["run"])


@acts(router, "POST", f"{_PATH}/{{int:collection_id}}/stop", "api-garbage-collection-stop", {202: CollectionJson})
def stop(request: HttpRequest, collection_id: int) -> HttpResponse:
    """Stop a garbage collection.

    The registry is opened again first.
    """
    if not services.stop(run_of(collection_id), person_of(request)):
        raise Refusal(409, "It is not under way.")
    return done_answer(collection_json(request, run_of(collection_id)), 202)


def run_of(collection_id: int) -> ClassicRun:
    return get_object_or_404(_runs(), pk=collection_id)


def collection_json(request: HttpRequest, run: ClassicRun) -> CollectionJson:
    origin = origin_of(request)
    itself = f"{origin}{reverse('api-garbage-collection', args=[run.pk])}"
    return {
        "id": run.pk,
        "registry": run.registry.name,
        "state": run.state,
        "only_plan": run.only_plan,
        "marked": run.marked,
        "doomed": run.doomed,
        "frees": run.doomed_size,
        "of_unknown_size": run.of_unknown_size,
        "in_trash": run.in_trash,
        "closed": run.is_closed,
        "closed_at": moment(run.closed_at),
        "collected_at": moment(run.collected_at),
        "opened_at": moment(run.opened_at),
        "message": run.message or None,
        "who": (run.actor or None) if request.user.is_authenticated else None,
        "created_at": stamp(run.created_at),
        "began_at": moment(run.began_at),
        "ended_at": moment(run.ended_at),
        "job": job_json(request, run.job) if run.job else None,
        "links": {
            "self": itself,
            "steps": f"{itself}/steps",
            "carry_on": f"{itself}/carry-on",
            "stop": f"{itself}/stop",
            "page": f"{origin}{run.get_absolute_url()}",
        },
    }


def step_json(step: ClassicStep, *, is_told: bool) -> StepJson:
    """`is_told`: whoever asks is signed in, and may see commands."""
    return {
        "kind": step.kind,
        "state": step.state,
        "command": [str(word) for word in step.argv] if is_told else None,
        "exit_code": step.exit_code,
        "marked": step.figures.get("marked"),
        "doomed": step.figures.get("doomed"),
        "output": step.output if is_told else None,
        "began_at": stamp(step.began_at),
        "ended_at": moment(step.ended_at),
    }


def _runs() -> QuerySet[ClassicRun]:
    rows = ClassicRun.objects.select_related("registry", "job__requested_by")
    return rows.defer("in_use", "removed_from", *for_asking("registry"))


def _begun(request: HttpRequest, collection_id: int) -> HttpResponse:
    said = collection_json(request, run_of(collection_id))
    return done_answer(said, 202, location=said["links"]["self"])
