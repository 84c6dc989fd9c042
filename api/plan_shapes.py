"""How plans and their items are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Bytes, DigestText, Moment, Url, moment, stamp
from api.links import origin_of
from tagging.models import Plan, PlanItem, PlannedImage

STATES: Final = "; ".join(f"{value}: {label}" for value, label in Plan.State.choices)
ITEM_STATES: Final = "; ".join(f"{value}: {label}" for value, label in PlanItem.State.choices)
STEPS: Final = "; ".join(f"{value}: {label}" for value, label in PlanItem.Step.choices)
MOST_IMAGES: Final = 200


class Counts(TypedDict):
    """How many items there are of each state."""

    planned: int
    begun: int
    done: int
    skipped: int
    failed: int
    all: int


class PlanLinks(TypedDict):
    self: Url
    items: Annotated[Url, Field(description="What it does, one thing at a time.")]
    carry_out: Annotated[Url, Field(description="POST here to have it carried out.")]
    job: Annotated[Url | None, Field(description="The job that carries it out, or did last.")]
    page: Annotated[str, Field(description="The page for people.")]


class PlanJson(TypedDict):
    id: int
    act: Annotated[str, Field(description="As it was asked for.", examples=["delete-tags"])]
    state: Annotated[str, Field(description=f"{STATES}.", examples=["planned"])]
    who: Annotated[str | None, Field(description="Who asked for it; null where you have not signed in.")]
    why: str | None
    registry: Annotated[str, Field(examples=["local"])]
    repository: Annotated[str | None, Field(description="Where it changes something; null where in several.")]
    items: Counts
    frees: Annotated[Bytes, Field(description="Bytes of blobs that nothing else in the registry uses.")]
    frees_is_exact: Annotated[bool, Field(description="Every repository was read; else it is at most so much.")]
    message: Annotated[str | None, Field(description="How it ended, in a sentence.")]
    created_at: Moment
    began_at: Moment | None
    ended_at: Moment | None
    links: PlanLinks


class HolderJson(TypedDict):
    """An index that lists an image and stays, so that the image stays too."""

    digest: DigestText
    tag: Annotated[str | None, Field(description="The alias of it that says most.")]


class PlannedImageJson(TypedDict):
    """What a plan means for one image."""

    digest: Annotated[DigestText | None, Field(description="null: of tags whose manifest nobody could read.")]
    repository: str
    going: Annotated[int, Field(description="Its tags that go.")]
    staying: Annotated[int, Field(description="Its tags that stay.")]
    stays: Annotated[list[str], Field(description="The first tags that stay.")]
    held_by: Annotated[list[HolderJson], Field(description="The first indexes that list it, and stay.")]
    referrers: Annotated[int, Field(description="What is attached to it, and would hang on nothing.")]
    children: Annotated[int, Field(description="What it lists, and what stays behind without a tag.")]


class PlanDetailJson(PlanJson):
    images: Annotated[list[PlannedImageJson], Field(description=f"At most {MOST_IMAGES}.")]
    more_images: Annotated[int, Field(description="Images that are not listed.")]


class PlanItemJson(TypedDict):
    position: int
    step: Annotated[str, Field(description=f"{STEPS}.", examples=["delete-tag"])]
    repository: str
    tag: str | None
    digest: Annotated[DigestText | None, Field(description="Where the tag pointed when this was planned.")]
    target: Annotated[DigestText | None, Field(description="Where it is to point.")]
    state: Annotated[str, Field(description=f"{ITEM_STATES}.", examples=["done"])]
    note: Annotated[str | None, Field(description="Why it was left alone, or failed.")]


def counts_of(plans: Iterable[Plan]) -> dict[int, Counts]:
    """Of each plan, by its id. One query."""
    found = {plan.pk: Counts(planned=0, begun=0, done=0, skipped=0, failed=0, all=0) for plan in plans}
    rows = PlanItem.objects.filter(plan__in=found).order_by().values_list("plan", "state")
    for plan, state, count in rows.annotate(n=Count("pk")):
        found[plan][state] = count  # type: ignore[literal-required]  # the states are its names
        found[plan]["all"] += count
    return found


def plan_json(request: HttpRequest, plan: Plan, counts: Mapping[int, Counts]) -> PlanJson:
    origin = origin_of(request)
    here = f"{origin}{reverse('api-plan', args=[plan.pk])}"
    return {
        "id": plan.pk,
        "act": plan.param("kind") or plan.act,
        "state": plan.state,
        "who": (plan.actor or None) if request.user.is_authenticated else None,
        "why": plan.why or None,
        "registry": plan.registry.name,
        "repository": plan.repository.name if plan.repository else None,
        "items": counts[plan.pk],
        "frees": plan.frees,
        "frees_is_exact": plan.frees_is_exact,
        "message": plan.message or None,
        "created_at": stamp(plan.created_at),
        "began_at": moment(plan.began_at),
        "ended_at": moment(plan.ended_at),
        "links": {
            "self": here,
            "items": f"{here}/items",
            "carry_out": f"{here}/carry-out",
            "job": f"{origin}{reverse('api-job', args=[plan.job_id])}" if plan.job_id else None,
            "page": f"{origin}{plan.get_absolute_url()}",
        },
    }


def plan_detail_json(request: HttpRequest, plan: Plan) -> PlanDetailJson:
    images = list(plan.images.select_related("repository").order_by("pk")[: MOST_IMAGES + 1])
    count = len(images) if len(images) <= MOST_IMAGES else plan.images.count()
    return {
        **plan_json(request, plan, counts_of([plan])),
        "images": [_image_json(image) for image in images[:MOST_IMAGES]],
        "more_images": max(0, count - MOST_IMAGES),
    }


def item_json(item: PlanItem) -> PlanItemJson:
    return {
        "position": item.position,
        "step": item.step,
        "repository": item.repository.name,
        "tag": item.tag or None,
        "digest": item.digest or None,
        "target": item.target or None,
        "state": item.state,
        "note": item.note or None,
    }


def _image_json(image: PlannedImage) -> PlannedImageJson:
    return {
        "digest": image.digest or None,
        "repository": image.repository.name,
        "going": image.going,
        "staying": image.staying,
        "stays": image.stays,
        "held_by": [_holder_json(holder) for holder in image.held_by],
        "referrers": image.referrers,
        "children": image.children,
    }


def _holder_json(holder: Mapping[str, Any]) -> HolderJson:
    return {"digest": holder["digest"], "tag": holder["tag"] or None}
