"""Runs of retention: which tags go and stay and why, and the verbs to begin one, to go on with it, and to stop."""

from __future__ import annotations

from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import Field

from api.answers import Listing, answer, done_answer, list_answer
from api.door import acts, person_of, reads
from api.orders import Order
from api.parameters import Paging, RepositoryParameter, Text, UnfitCursor, page_of
from api.problems import Refusal
from api.retention_shapes import (
    KeptJson,
    RetentionBegunJson,
    RetentionRunJson,
    RunRepositoryJson,
    RunTagJson,
    begun_json,
    names_of,
    repository_json,
    run_json,
    tag_json,
)
from catalog.reads.keyset import Column, Page
from cleanup.models import Policy, RetentionRun, RunRepository, RunTag
from cleanup.models.runs import RetentionRunQuerySet, RunTagQuerySet
from cleanup.retention import services
from cleanup.retention.results import is_token, kept_page, rules_of
from registries.models import Registry, for_asking

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
PLANNED: Final = {"planned": Column("id", int, is_unique=True)}
_MOST_POLICIES: Final = 1_000

router = Router(tags=["Retention"])


class RunQuery(Paging):
    registry: Text = Field("", description="Only of the registry of this name.")
    state: RetentionRun.State | None = Field(None, description="Only what is in this state.")


class PlaceQuery(Paging):
    state: RunRepository.State | None = Field(None, description="Only what is in this state.")


class TagQuery(Paging):
    repository: RepositoryParameter | None = Field(None, description="Only of this one.")
    state: RunTag.State | None = Field(None, description="Only what is in this state.")


class KeptQuery(Paging):
    repository: RepositoryParameter = Field(description="The one whose tags these are.")


class RunOrder(Order):
    registry: Text = Field(examples=["local"])
    only_plan: bool = Field(default=False, description="Say what would go, and delete nothing.")
    policies: list[Text] = Field(
        default_factory=list,
        max_length=_MOST_POLICIES,
        description="Only what these decide on, also where they are off.",
    )
    allow: bool = Field(default=False, description="Also where so much goes that a person has to agree.")


class CarryOnOrder(Order):
    allow: bool = Field(default=False, description="Also where so much goes that a person has to agree.")


@reads(router, "/retention/runs", "api-retention-runs", Listing[RetentionRunJson])
def list_runs(request: HttpRequest, query: Query[RunQuery]) -> HttpResponse:
    """Runs of retention, the newest first.

    Each is a plan of a registry, and what came of it.
    """
    rows = _runs()
    if query.registry:
        rows = rows.filter(registry__name=query.registry)
    if query.state:
        rows = rows.filter(state=query.state)
    page = page_of(rows, COLUMNS, "newest", query)
    names = names_of(page.rows)
    return list_answer(request, page, [run_json(request, run, names) for run in page.rows])


@acts(router, "POST", "/retention/runs", "api-retention-run-begin", {202: RetentionBegunJson})
def begin(request: HttpRequest, order: RunOrder) -> HttpResponse:
    """Have retention carried out in a registry, or only planned.

    A worker does it: ask for the run or the job again to watch it. Two runs of one registry are never under way: where
    one is, this answers with that. What goes, goes to the trash.
    """
    registry = Registry.objects.active().filter(name=order.registry).first()
    if registry is None:
        raise Refusal.of("registry", "no registry of ours has this name")
    rows = Policy.objects.filter(registry=registry, name__in=order.policies).in_order()
    among = list(rows) if order.policies else []
    if strange := set(order.policies) - {policy.name for policy in among}:
        raise Refusal.of("policies", f"{registry.name} has no policy {min(strange)}")
    run, _ = services.begin(registry, person_of(request), only_plan=order.only_plan, policies=among, allow=order.allow)
    return _begun(request, run.pk)


@reads(router, "/retention/runs/{int:run_id}", "api-retention-run", RetentionRunJson)
def read_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run.

    Ask again to watch it; its job says how far it is.
    """
    run = _run(run_id)
    return answer(request, run_json(request, run, names_of([run])))


@reads(
    router, "/retention/runs/{int:run_id}/repositories", "api-retention-run-repositories", Listing[RunRepositoryJson]
)
def list_repositories(request: HttpRequest, run_id: int, query: Query[PlaceQuery]) -> HttpResponse:
    """What becomes of each repository, and why tags stay.

    Only those on which a policy decides.
    """
    run = _run(run_id)
    rows = run.places.all()
    if query.state:
        rows = rows.filter(state=query.state)
    page, rules = page_of(rows, PLANNED, "planned", query), rules_of(run.registry_id)
    return list_answer(request, page, [repository_json(place, rules) for place in page.rows])


@reads(router, "/retention/runs/{int:run_id}/tags", "api-retention-run-tags", Listing[RunTagJson])
def list_tags(request: HttpRequest, run_id: int, query: Query[TagQuery]) -> HttpResponse:
    """The tags that go, or were to, each with why or what became of it.

    In the order in which they were planned.
    """
    run = _run(run_id)
    rows = RunTag.objects.filter(run=run)
    if query.state:
        rows = rows.filter(state=query.state)
    if query.repository:
        rows = rows.filter(place=get_object_or_404(run.places.all(), name=query.repository))
    page, rules = page_of(rows, PLANNED, "planned", query, whole=_with_repository), rules_of(run.registry_id)
    return list_answer(request, page, [tag_json(request, tag, rules) for tag in page.rows])


@reads(router, "/retention/runs/{int:run_id}/kept", "api-retention-run-kept", Listing[KeptJson])
def list_kept(request: HttpRequest, run_id: int, query: Query[KeptQuery]) -> HttpResponse:
    """The tags that stay in a repository, each with why.

    By name. They are kept of plans, and of the newest run of a registry that was carried out.
    """
    run = _run(run_id)
    place = get_object_or_404(run.places.all(), name=query.repository)
    if query.cursor and not is_token(query.cursor):
        raise UnfitCursor
    page = kept_page(place, rules_of(run.registry_id), query.cursor, query.limit)
    items: list[KeptJson] = [{"tag": row.tag, "why": row.why, "sentence": row.sentence} for row in page.rows]
    return list_answer(request, cast("Page[Any]", page), items)


@acts(router, "POST", "/retention/runs/{int:run_id}/carry-on", "api-retention-run-carry-on", {202: RetentionBegunJson})
def carry_on(request: HttpRequest, run_id: int, order: CarryOnOrder) -> HttpResponse:
    """Carry out what a run has planned, or the rest of it, and try again what failed.

    Each repository is judged once more right before: what would be kept by then stays.
    """
    run = _run(run_id)
    if run.state == RetentionRun.State.DONE and not run.tags.filter(state=RunTag.State.FAILED).exists():
        raise Refusal(409, "It was carried out already.")
    services.carry_on(run, person_of(request), allow=order.allow)
    return _begun(request, run_id)


@acts(router, "POST", "/retention/runs/{int:run_id}/allow", "api-retention-run-allow", {202: RetentionRunJson})
def allow(request: HttpRequest, run_id: int) -> HttpResponse:
    """Say yes to what a run asks.

    To repositories of which more than a fifth of the tags goes, or all.
    """
    if not services.allow(_run(run_id), person_of(request)):
        raise Refusal(409, "It does not ask.")
    run = _run(run_id)
    return done_answer(run_json(request, run, names_of([run])), 202)


@acts(router, "POST", "/retention/runs/{int:run_id}/stop", "api-retention-run-stop", {202: RetentionRunJson})
def stop(request: HttpRequest, run_id: int) -> HttpResponse:
    """Stop a run.

    What is under way ends between two plans. It can be gone on with.
    """
    if not services.stop(_run(run_id), person_of(request)):
        raise Refusal(409, "It is not under way.")
    run = _run(run_id)
    return done_answer(run_json(request, run, names_of([run])), 202)


def _with_repository(tags: RunTagQuerySet) -> RunTagQuerySet:
    return tags.select_related("place").defer("place__kept_tags")


def _runs() -> RetentionRunQuerySet:
    return RetentionRun.objects.select_related("registry", "job__requested_by").defer(*for_asking("registry"))


def _run(run_id: int) -> RetentionRun:
    return get_object_or_404(_runs(), pk=run_id)


def _begun(request: HttpRequest, run_id: int) -> HttpResponse:
    run = _run(run_id)
    said = begun_json(request, run, names_of([run]))
    return done_answer(said, 202, location=said["run"]["links"]["self"])
