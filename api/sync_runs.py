"""Runs of sync: what each does to which tag, and the verbs to go on with one, to try again, and to stop."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import Field

from api.answers import Listing, answer, done_answer, list_answer
from api.door import acts, person_of, reads
from api.parameters import Paging, Text, page_of
from api.plan_shapes import PlanDetailJson, plan_detail_json
from api.plans import find_plan
from api.problems import Refusal
from api.sync_shapes import BOTH, RunBegunJson, RunJson, begun_json, run_json
from catalog.reads.keyset import Column
from sync import services
from sync.models import Item, Rule, Run
from sync.promoting import plan_roll_back
from sync.run_documents import ItemDocument, item_document

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
ITEM_COLUMNS: Final = {"position": Column("position", int, is_unique=True)}
_OVER: Final = "It was carried out already."
_COUNTED: Final = "Its bytes are counted already."
_NOT_PLANNED: Final = "It is no plan that waits for somebody to carry it out."

router = Router(tags=["Sync"])


class RunQuery(Paging):
    rule: Text = Field("", description="Only of the rule of this name, or of one that had it and is gone.")
    state: Run.State | None = Field(None, description="Only what is in this state.")


class ItemQuery(Paging):
    state: Item.State | None = Field(None, description="Only what is in this state.")
    act: Item.Act | None = Field(None, description="Only what is to be done so.")


@reads(router, "/sync/runs", "api-sync-runs", Listing[RunJson])
def list_runs(request: HttpRequest, query: Query[RunQuery]) -> HttpResponse:
    """Runs of rules, and copies that somebody asked for, the newest first.

    What each was to do, and what came of it.
    """
    rows = _runs()
    if query.rule:
        rule = Rule.objects.filter(name=query.rule).first()
        rows = rows.filter(rule=rule) if rule else rows.filter(rule=None, name=query.rule)
    if query.state:
        rows = rows.filter(state=query.state)
    page = page_of(rows, COLUMNS, "newest", query)
    return list_answer(request, page, [run_json(request, run) for run in page.rows])


@reads(router, "/sync/runs/{int:run_id}", "api-sync-run", RunJson)
def read_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run.

    Ask again to watch it; its job says how many bytes have travelled.
    """
    return answer(request, run_json(request, run_of(run_id)))


@reads(router, "/sync/runs/{int:run_id}/items", "api-sync-run-items", Listing[ItemDocument])
def list_items(request: HttpRequest, run_id: int, query: Query[ItemQuery]) -> HttpResponse:
    """What a run does to each tag, and why.

    In the order in which it is done; each with what became of it.
    """
    items = run_of(run_id).items.all()
    if query.state:
        items = items.filter(state=query.state)
    if query.act:
        items = items.filter(act=query.act)
    page = page_of(items, ITEM_COLUMNS, "position", query)
    return list_answer(request, page, [item_document(item) for item in page.rows])


@acts(router, "POST", "/sync/runs/{int:run_id}/carry-on", "api-sync-run-carry-on", {202: RunBegunJson})
def carry_on(request: HttpRequest, run_id: int) -> HttpResponse:
    """Carry out what a run has planned, or the rest of it.

    Just that: what has moved at the source since is not looked at again. What was copied does not travel twice.
    """
    run = run_of(run_id)
    if run.state == Run.State.DONE:
        raise Refusal(409, _OVER)
    services.carry_on(run, person_of(request))
    return _begun(request, run_id)


@acts(router, "POST", "/sync/runs/{int:run_id}/weigh", "api-sync-run-weigh", {202: RunBegunJson})
def weigh(request: HttpRequest, run_id: int) -> HttpResponse:
    """Count the bytes of what a run has planned.

    Where the source counts pulls a plan leaves that out, since each manifest that is read for it is one; the run need
    not read them again.
    """
    run = run_of(run_id)
    if run.state != Run.State.PLANNED or run.size is not None:
        raise Refusal(409, _COUNTED if run.size is not None else _NOT_PLANNED)
    services.weigh(run, person_of(request))
    return _begun(request, run_id)


@acts(router, "POST", "/sync/runs/{int:run_id}/try-again", "api-sync-run-try-again", {202: RunBegunJson})
def try_again(request: HttpRequest, run_id: int) -> HttpResponse:
    """Try once more what failed in a run, or was given up.

    And nothing else of it.
    """
    run = run_of(run_id)
    if not run.items.filter(state__in=[Item.State.FAILED, Item.State.PARKED]).exists():
        raise Refusal(409, "Nothing of it has failed.")
    services.try_again(run, person_of(request))
    return _begun(request, run_id)


@acts(
    router,
    "POST",
    "/sync/runs/{int:run_id}/items/{int:position}/roll-back",
    "api-sync-item-roll-back",
    {201: PlanDetailJson},
)
def roll_back(request: HttpRequest, run_id: int, position: int) -> HttpResponse:
    """Plan to point the tag of an item to where it pointed before.

    Nothing is changed at the registry by that alone: have the plan carried out. It is refused where the tag was new,
    points to another image by now, or the one from before is not there any more.
    """
    item = get_object_or_404(Item.objects.select_related("run__target"), run=run_id, position=position)
    said = plan_detail_json(request, find_plan(plan_roll_back(item, person_of(request)).pk))
    return done_answer(said, 201, location=said["links"]["self"])


@acts(router, "POST", "/sync/runs/{int:run_id}/stop", "api-sync-run-stop", {202: RunJson})
def stop(request: HttpRequest, run_id: int) -> HttpResponse:
    """Stop a run.

    What is under way ends between two pieces, and no upload of it stays open; no tag points to half of anything. It can
    be gone on with.
    """
    if not services.stop(run_of(run_id), person_of(request)):
        raise Refusal(409, "It is not under way.")
    return done_answer(run_json(request, run_of(run_id)), 202)


def run_of(run_id: int) -> Run:
    return get_object_or_404(_runs(), pk=run_id)


def _runs() -> QuerySet[Run]:
    rows = Run.objects.select_related("rule", "source", "target", "job__requested_by")
    return rows.defer(*BOTH, "terms", "rule__terms")


def _begun(request: HttpRequest, run_id: int) -> HttpResponse:
    said = begun_json(request, run_of(run_id))
    return done_answer(said, 202, location=said["run"]["links"]["self"])
