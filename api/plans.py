"""Plans: what would be done, with its reasons; making one changes nothing, carrying it out does just that."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from api.answers import Listing, answer, done_answer, list_answer
from api.door import acts, person_of, reads
from api.orders import Key, PlanOrder, plan_once
from api.parameters import Paging, page_of
from api.plan_shapes import PlanDetailJson, PlanItemJson, PlanJson, counts_of, item_json, plan_detail_json, plan_json
from catalog.reads.keyset import Column
from registries.models import for_asking
from tagging.models import Plan, PlanItem
from tagging.services import carry_out

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
ITEM_COLUMNS: Final = {"position": Column("position", int, is_unique=True)}

router = Router(tags=["Plans"])


@reads(router, "/plans", "api-plans", Listing[PlanJson])
def list_plans(request: HttpRequest, query: Query[Paging]) -> HttpResponse:
    """Plans, the newest first.

    Those that were carried out, and for a week those that nobody carried out.
    """
    page = page_of(_plans(), COLUMNS, "newest", query)
    counts = counts_of(page.rows)
    return list_answer(request, page, [plan_json(request, plan, counts) for plan in page.rows])


@acts(router, "POST", "/plans", "api-plan-make", {201: PlanDetailJson, 200: PlanDetailJson})
def make_plan(request: HttpRequest, order: PlanOrder, key: Key = None) -> HttpResponse:
    """Make a plan.

    Nothing is changed at the registry. Read what it says of the tags and images that go and of what stays, and carry it
    out. 200 in place of 201: by this key the plan was made already.
    """
    plan, is_new = plan_once(order, person_of(request), key)
    said = plan_detail_json(request, find_plan(plan.pk))
    return done_answer(said, 201 if is_new else 200, location=said["links"]["self"])


@reads(router, "/plans/{int:plan_id}", "api-plan", PlanDetailJson)
def read_plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """One plan.

    What goes, what stays because it shares the digest or an index lists it, and how far it is. Ask again to watch it.
    """
    return answer(request, plan_detail_json(request, find_plan(plan_id)))


@reads(router, "/plans/{int:plan_id}/items", "api-plan-items", Listing[PlanItemJson])
def list_items(request: HttpRequest, plan_id: int, query: Query[Paging]) -> HttpResponse:
    """What a plan does, one thing at a time.

    In the order in which it is done; each with what became of it.
    """
    items = PlanItem.objects.filter(plan=find_plan(plan_id)).select_related("repository")
    page = page_of(items, ITEM_COLUMNS, "position", query)
    return list_answer(request, page, [item_json(item) for item in page.rows])


@acts(
    router,
    "POST",
    "/plans/{int:plan_id}/carry-out",
    "api-plan-carry-out",
    {200: PlanDetailJson, 202: PlanDetailJson},
)
def carry_out_plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Have a plan carried out.

    A small one is over when this answers; a large one is done by a worker (202): ask for the plan, or for the job that
    its links lead to. A tag that has moved since it was planned is left alone. Whatever the plan could not do, it says:
    where the registry refuses, its state is broken-off, and this may be asked again. What is done is done once.
    """
    return carried_out(request, find_plan(plan_id))


def find_plan(plan_id: int) -> Plan:
    return get_object_or_404(_plans(), pk=plan_id)


def carried_out(request: HttpRequest, plan: Plan) -> HttpResponse:
    """The plan as it is afterwards; one that is done stays as it is. Raises NotPermitted."""
    is_over = plan.state == Plan.State.DONE or not carry_out(plan, person_of(request)).is_unfinished
    said = plan_detail_json(request, find_plan(plan.pk))
    return done_answer(said, 200 if is_over else 202, location=said["links"]["self"])


def _plans() -> QuerySet[Plan]:
    return Plan.objects.select_related("registry", "repository").defer(*for_asking("registry"))
