"""Pins: what clusters and machines say they run, so that no rule and no cleanup takes it from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from api.answers import DigestText, Listing, Moment, Url, answer, done_answer, list_answer, moment, stamp
from api.door import Actor, acts, person_of, reads
from api.links import origin_of
from api.orders import Order
from api.parameters import Paging, Text, page_of
from api.problems import ParameterError, Refusal
from catalog.reads.keyset import Column
from cleanup import pins
from cleanup.models import PinHolder

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
PIN_COLUMNS: Final = {"ends": Column("until", datetime)}
LARGEST: Final = 16 * 2**20  # bytes: a hundred thousand references of a usual length
_NAMED: Final = 20  # of what is wrong with a report
_LINES: Final = "text/plain"

router = Router(tags=["Pins"])


class HolderLinks(TypedDict):
    self: Annotated[Url, Field(description="DELETE this to let go of all that it has pinned.")]
    digests: Annotated[Url, Field(description="What it pins now.")]
    page: Annotated[str, Field(description="The page for people.")]


class HolderJson(TypedDict):
    """Who says what is in use, and how much of that holds still."""

    holder: Annotated[str, Field(examples=["cluster-a"])]
    digests: Annotated[int, Field(description="How many it pins now.", examples=[532])]
    first_ends_at: Annotated[Moment | None, Field(description="When the first of these pins ends; null: none holds.")]
    last_ends_at: Annotated[Moment | None, Field(description="When the last of them ends.")]
    told_at: Annotated[Moment, Field(description="Its last report.")]
    told: Annotated[int, Field(description="Digests in that.")]
    unread: Annotated[int, Field(description="What was in that and was no digest.")]
    who: Annotated[str | None, Field(description="Whose session brought it; null where you have not signed in.")]
    links: HolderLinks


class ToldJson(TypedDict):
    holder: str
    digests: Annotated[int, Field(description="How many were pinned, each once.", examples=[532])]
    ends_at: Annotated[Moment, Field(description="When these pins end, unless the holder names them again.")]
    unread: Annotated[int, Field(description="How much was no digest.", examples=[0])]
    samples: Annotated[list[str], Field(description="The first of that.", examples=[[]])]
    links: HolderLinks


class PinJson(TypedDict):
    digest: Annotated[DigestText, Field(description="Of a manifest, or of an image's config.")]
    ends_at: Annotated[Moment, Field(description="When this pin ends, unless the holder names it again.")]


class ReportQuery(Schema):
    holder: str = Field("", description="Of a report in lines: who says it.", examples=["cluster-a"])
    for_hours: int = Field(pins.HOURS, description="Of a report in lines: for how long its pins hold.")


class Report(Order):
    holder: str = Field(description="Who says it: letters, digits, and . _ - after the first.", examples=["cluster-a"])
    digests: list[Any] = Field(
        max_length=pins.MOST,
        description="Digests, or references that end in one: sha256:…, docker-pullable://team/app@sha256:….",
        json_schema_extra={"items": {"type": "string"}},
    )
    for_hours: int = Field(pins.HOURS, description="For how long these pins hold.")


_BODY: Final = {
    "application/json": Report.model_json_schema(),
    _LINES: {"type": "string", "description": "References with blanks or line ends between."},
}


@reads(router, "/pins", "api-pins", Listing[HolderJson])
def list_holders(request: HttpRequest, query: Query[Paging]) -> HttpResponse:
    """Who has said what is in use, the newest first.

    With how many digests each pins, and until when.
    """
    page = page_of(PinHolder.objects.all(), COLUMNS, "newest", query)
    counted = {holder.pk: holder for holder in _counted().filter(pk__in=[holder.pk for holder in page.rows])}
    return list_answer(
        request, page, [_holder_json(request, counted[row.pk]) for row in page.rows if row.pk in counted]
    )


@acts(
    router,
    "POST",
    "/pins",
    "api-pins-report",
    {200: ToldJson},
    actor=Actor(("application/json", _LINES), LARGEST),
    body=_BODY,
)
def report(request: HttpRequest, query: Query[ReportQuery]) -> HttpResponse:
    """Say what is in use.

    What a holder names is pinned: no rule of retention and no cleanup takes it, whatever its tags are, until
    `for_hours` have passed since it was named last. What it had named before, and does not name now, ends at its own
    time: one short report takes no pin away. What is no digest is counted, and no reason to refuse the rest.

    As JSON, or as references with blanks or line ends between (`Content-Type: text/plain`, with `holder` and
    `for_hours` in the address). A digest is that of a manifest or of an image's config, alone or at the end of a
    reference. So what a cluster runs is told by

        kubectl get pods -A -o jsonpath='{..imageID}' |
            curl -H 'Content-Type: text/plain' --data-binary @- '<berth>/api/v1/pins?holder=cluster-a'

    and what a machine runs by

        docker ps -q | xargs -r docker inspect --format '{{.Image}}' |
            curl -H 'Content-Type: text/plain' --data-binary @- '<berth>/api/v1/pins?holder=machine-1'

    each with the cookies and the token that acting takes.
    """
    said = _said(request, query)
    try:
        told = pins.report(said.holder, said.digests, person_of(request), said.for_hours)
    except pins.InvalidReport as error:
        raise Refusal.of(error.field, error.sentence) from error
    answered: ToldJson = {
        "holder": told.holder,
        "digests": told.digests,
        "ends_at": stamp(told.until),
        "unread": told.unread,
        "samples": list(told.samples),
        "links": _links(request, told.holder),
    }
    return done_answer(answered, location=answered["links"]["self"])


@reads(router, "/pins/{holder}", "api-pins-holder", HolderJson)
def read_holder(request: HttpRequest, holder: Text) -> HttpResponse:
    """What one holder pins.

    How many digests, and until when.
    """
    return answer(request, _holder_json(request, get_object_or_404(_counted(), name=holder)))


@reads(router, "/pins/{holder}/digests", "api-pins-digests", Listing[PinJson])
def list_digests(request: HttpRequest, holder: Text, query: Query[Paging]) -> HttpResponse:
    """The digests that one holder pins now.

    Those that end first come first.
    """
    held = get_object_or_404(PinHolder, name=holder).pins.filter(until__gt=timezone.now())
    page = page_of(held, PIN_COLUMNS, "ends", query)
    found: list[PinJson] = [{"digest": pin.digest, "ends_at": stamp(pin.until)} for pin in page.rows]
    return list_answer(request, page, found)


@acts(router, "DELETE", "/pins/{holder}", "api-pins-forget", {204: None})
def forget(request: HttpRequest, holder: Text) -> HttpResponse:
    """Let go of what a holder has pinned.

    All of it, and at once.
    """
    pins.forget(get_object_or_404(PinHolder, name=holder), person_of(request))
    return HttpResponse(status=204)


def _said(request: HttpRequest, query: ReportQuery) -> Report:
    """Read here: Django would refuse what is larger than a form, and ninja what is no JSON. Raises Refusal."""
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise Refusal(413, f"At most {LARGEST:,} bytes are taken here.")
    if request.content_type == _LINES:
        lines = body.decode("utf-8", "replace").split()
        return Report.model_construct(holder=query.holder, digests=lines, for_hours=query.for_hours)
    try:
        return Report.model_validate_json(body)
    except ValidationError as error:
        raise Refusal(422, errors=_errors(error)) from error


def _errors(error: ValidationError) -> list[ParameterError]:
    """Without the values, as of all parameters."""
    said = error.errors(include_url=False, include_context=False, include_input=False)[:_NAMED]
    return [{"parameter": ".".join(map(str, one["loc"])) or "body", "detail": one["msg"]} for one in said]


def _counted() -> QuerySet[PinHolder]:
    return PinHolder.objects.with_figures(timezone.now())


def _links(request: HttpRequest, holder: str) -> HolderLinks:
    origin = origin_of(request)
    itself = f"{origin}{reverse('api-pins-holder', args=[holder])}"
    page = f"{origin}{reverse('cleanup-pins-holder', args=[holder])}"
    return {"self": itself, "digests": f"{itself}/digests", "page": page}


def _holder_json(request: HttpRequest, holder: Any) -> HolderJson:
    """`holder` with its figures."""
    return {
        "holder": holder.name,
        "digests": holder.held,
        "first_ends_at": moment(holder.first_until),
        "last_ends_at": moment(holder.last_until),
        "told_at": stamp(holder.told_at),
        "told": holder.told,
        "unread": holder.unread,
        "who": (holder.told_by or None) if request.user.is_authenticated else None,
        "links": _links(request, holder.name),
    }
