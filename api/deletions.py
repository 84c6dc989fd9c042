"""Deleting a tag or an image in one request: a plan all the same, made and carried out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from api import manifests
from api.door import acts, person_of
from api.orders import LONGEST_WHY, Key, PlanOrder, plan_once
from api.plan_shapes import PlanDetailJson
from api.plans import carried_out, find_plan
from api.problems import Refusal
from tagging.planning import NotPlanned

_SHAPES = {200: PlanDetailJson, 202: PlanDetailJson}

router = Router(tags=["Tags"])


class DeletionQuery(Schema):
    why: str = Field("", max_length=LONGEST_WHY, description="Why: it is kept with what is done.")


@acts(
    router,
    "DELETE",
    "/repositories/{registry:registry}/{repository:repository}/-/tags/{tag:tag}",
    "api-tag-delete",
    _SHAPES,
)
def delete_tag(  # noqa: PLR0913, PLR0917  each is a part of the request
    request: HttpRequest, registry: str, repository: str, tag: str, query: Query[DeletionQuery], key: Key = None
) -> HttpResponse:
    """Delete a tag, and only that tag.

    Its aliases stay, and it can be restored from the trash. The answer is the plan that was made and carried out: a tag
    that is protected, or that moved meanwhile, is left alone, and the plan says so.
    """
    order = PlanOrder(act="delete-tags", registry=registry, repository=repository, tags=[tag], why=query.why)
    return _deleted(request, order, key)


@acts(
    manifests.router,
    "DELETE",
    "/repositories/{registry:registry}/{repository:repository}/-/manifests/{digest:digest}",
    "api-manifest-delete",
    _SHAPES,
)
def delete_manifest(  # noqa: PLR0913, PLR0917  each is a part of the request
    request: HttpRequest, registry: str, repository: str, digest: str, query: Query[DeletionQuery], key: Key = None
) -> HttpResponse:
    """Delete an image with all its tags.

    It can be restored from the trash until a garbage collection has taken its layers. What an index lists that stays
    loses its tags only.
    """
    order = PlanOrder(act="delete-images", registry=registry, repository=repository, digests=[digest], why=query.why)
    return _deleted(request, order, key)


def _deleted(request: HttpRequest, order: PlanOrder, key: str | None) -> HttpResponse:
    try:
        plan, _ = plan_once(order, person_of(request), key)
    except NotPlanned as nothing:  # what an address names is not there
        raise Refusal(404, str(nothing)) from nothing
    return carried_out(request, find_plan(plan.pk))
