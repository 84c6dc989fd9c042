"""The trash: what was deleted and can still come back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Bytes, DigestText, Listing, Moment, Url, list_answer, moment, stamp
from api.door import acts, person_of, reads
from api.links import origin_of
from api.orders import Entries, Key, Order, PlanOrder, Replace, Why, plan_once
from api.parameters import Paging, Text, page_of
from api.plan_shapes import PlanDetailJson
from api.plans import carried_out, find_plan
from catalog.models import Repository
from catalog.reads.keyset import Column
from tagging.checking import let_go
from tagging.models import TrashEntry
from tagging.models.trash import TrashEntryQuerySet

COLUMNS: Final = {"newest": Column("deleted_at", datetime, largest_first=True)}
STATES: Final = "; ".join(f"{value}: {label}" for value, label in TrashEntry.State.choices)
HOW: Final = "; ".join(f"{value}: {label}" for value, label in TrashEntry.How.choices)
_EXPIRED: Final = "expired"

router = Router(tags=["Trash"])


class TrashLinks(TypedDict):
    self: Annotated[Url, Field(description="DELETE this to give it up for good.")]
    plan: Annotated[Url | None, Field(description="The plan that it went with.")]


class TrashEntryJson(TypedDict):
    id: int
    registry: Annotated[str, Field(examples=["local"])]
    repository: Annotated[str, Field(examples=["team/app"])]
    tag: Annotated[str | None, Field(description="null: an image without one.", examples=["1.4.2"])]
    digest: DigestText
    kind: Annotated[str | None, Field(examples=["index"])]
    size: Annotated[Bytes, Field(description="Bytes of its blobs.")]
    how: Annotated[str, Field(description=f"How it went. {HOW}.", examples=["untagged"])]
    who: Annotated[str | None, Field(description="Who deleted it; null where you have not signed in.")]
    why: str | None
    deleted_at: Moment | None
    until: Annotated[Moment, Field(description="Then it expires.")]
    state: Annotated[
        str, Field(description=f"Whether it can be restored. {STATES}; {_EXPIRED}: Too late", examples=["restorable"])
    ]
    problem: Annotated[str | None, Field(description="Which blobs are gone.")]
    checked_at: Annotated[Moment | None, Field(description="When Berth last looked at its blobs.")]
    links: TrashLinks


class TrashQuery(Paging):
    registry: Text = Field("", description="Only of the registry of this name.")
    repository: Text = Field("", description="Only of the repository of this name.")


class RestoreOrder(Order):
    """What is to be restored."""

    entries: Entries
    replace: Replace = False
    why: Why = ""


@reads(router, "/trash", "api-trash", Listing[TrashEntryJson])
def list_trash(request: HttpRequest, query: Query[TrashQuery]) -> HttpResponse:
    """What was deleted or overwritten through Berth, the newest first.

    Until it is restored; what has expired is told for some days longer.
    """
    entries = TrashEntry.objects.listed()
    if query.registry:
        entries = entries.in_registry(query.registry)
    if query.repository:
        entries = entries.filter(repository__in=Repository.objects.filter(name=query.repository))
    page = page_of(entries, COLUMNS, "newest", query, TrashEntryQuerySet.with_places)
    now = timezone.now()
    return list_answer(request, page, [_entry_json(request, entry, now) for entry in page.rows])


@acts(router, "POST", "/trash/restore", "api-trash-restore", {200: PlanDetailJson, 202: PlanDetailJson})
def restore(request: HttpRequest, order: RestoreOrder, key: Key = None) -> HttpResponse:
    """Restore what is in the trash.

    The same bytes under the same tag, in a plan that is made and carried out. A tag that points elsewhere by now stays
    as it is, unless `replace` says otherwise. All entries have to be of one registry.
    """
    wanted = PlanOrder(act="restore", entries=order.entries, replace=order.replace, why=order.why)
    plan, _ = plan_once(wanted, person_of(request), key)
    return carried_out(request, find_plan(plan.pk))


@acts(router, "DELETE", "/trash/{int:entry_id}", "api-trash-delete", {204: None})
def give_up(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Give up for good what is in the trash.

    It expires now. Nothing is changed at the registry.
    """
    entries = TrashEntry.objects.listed().with_places()
    entry, person, now = get_object_or_404(entries, pk=entry_id), person_of(request), timezone.now()
    if entry.until > now:
        let_go([entry], now, str(person), person.pk)
    return HttpResponse(status=204)


def _entry_json(request: HttpRequest, entry: TrashEntry, now: datetime) -> TrashEntryJson:
    origin = origin_of(request)
    return {
        "id": entry.pk,
        "registry": entry.registry.name,
        "repository": entry.repository.name,
        "tag": entry.tag or None,
        "digest": entry.digest,
        "kind": entry.kind or None,
        "size": entry.size,
        "how": entry.how,
        "who": (entry.who or None) if request.user.is_authenticated else None,
        "why": entry.why or None,
        "deleted_at": moment(entry.deleted_at),
        "until": stamp(entry.until),
        "state": entry.state if entry.until > now else _EXPIRED,
        "problem": entry.problem or None,
        "checked_at": moment(entry.checked_at),
        "links": {
            "self": f"{origin}{reverse('api-trash')}/{entry.pk}",
            "plan": f"{origin}{reverse('api-plan', args=[entry.plan_id])}" if entry.plan_id else None,
        },
    }
