"""The activity: who did what to tags and images, and how it ended."""

from __future__ import annotations

from typing import Annotated, Final

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import DigestText, Listing, Moment, Url, list_answer, stamp
from api.door import reads
from api.links import origin_of
from api.parameters import Paging, Text, page_of
from api.problems import Refusal
from audit.models import Entry
from catalog.reads.keyset import Column
from registries.models import Registry
from tagging.models import Plan

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
ACTS: Final = "; ".join(f"{value}: {label}" for value, label in Entry.Act.choices)
OUTCOMES: Final = "; ".join(f"{value}: {label}" for value, label in Entry.Outcome.choices)

router = Router(tags=["Activity"])


class EntryLinks(TypedDict):
    plan: Annotated[Url | None, Field(description="The plan that it was a part of, while that is kept.")]


class EntryJson(TypedDict):
    """One act on one thing; the names are those of then."""

    id: int
    at: Moment
    act: Annotated[str, Field(description=f"{ACTS}.", examples=["delete-tag"])]
    outcome: Annotated[str, Field(description=f"{OUTCOMES}.", examples=["done"])]
    actor: Annotated[
        str | None, Field(description="Who did it; null where Berth did, nobody knows, or you have not signed in.")
    ]
    registry: str | None
    repository: str | None
    tag: str | None
    digest_before: DigestText | None
    digest_after: DigestText | None
    why: Annotated[str | None, Field(description="As the person said it.")]
    detail: Annotated[str | None, Field(description="How it came to this outcome, in a sentence.")]
    links: EntryLinks


class ActivityQuery(Paging):
    registry: Text = Field("", description="Only in the registry of this name.")
    repository: Text = Field("", description="Only in the repository of this name.")
    tag: Text = Field("", description="Only to the tag of this name.")
    actor: Text = Field("", description="Only of this person, as `actor` names them; for whoever has signed in.")
    act: Entry.Act | None = Field(None, description="Only of this kind.")


@reads(router, "/activity", "api-activity", Listing[EntryJson])
def list_activity(request: HttpRequest, query: Query[ActivityQuery]) -> HttpResponse:
    """What was done through Berth, the newest first.

    Also what was tried and left alone, or failed, and what was done from outside to protected tags.
    """
    if query.actor and not request.user.is_authenticated:
        raise Refusal(401, "Only whoever has signed in is told who did something.")
    page = page_of(Entry.objects.filter(_wanted(query)), COLUMNS, "newest", query)
    kept = set(Plan.objects.filter(pk__in={entry.plan_id for entry in page.rows}).values_list("pk", flat=True))
    return list_answer(request, page, [_entry_json(request, entry, kept) for entry in page.rows])


def _wanted(query: ActivityQuery) -> Q:
    asked = {"repository": query.repository, "tag": query.tag, "actor": query.actor, "act": query.act}
    wanted = Q(**{name: value for name, value in asked.items() if value})
    if query.registry:
        # By its id, which an index has; by its name where the registry was forgotten.
        known = Registry.objects.filter(name=query.registry).values_list("pk", flat=True).first()
        wanted &= Q(registry=query.registry) if known is None else Q(registry_id=known)
    return wanted


def _entry_json(request: HttpRequest, entry: Entry, kept: set[int]) -> EntryJson:
    plan = entry.plan_id if entry.plan_id in kept else None
    return {
        "id": entry.pk,
        "at": stamp(entry.at),
        "act": entry.act,
        "outcome": entry.outcome,
        "actor": (entry.actor or None) if request.user.is_authenticated else None,
        "registry": entry.registry or None,
        "repository": entry.repository or None,
        "tag": entry.tag or None,
        "digest_before": entry.digest_before or None,
        "digest_after": entry.digest_after or None,
        "why": entry.why or None,
        "detail": entry.detail or None,
        "links": {"plan": f"{origin_of(request)}{reverse('api-plan', args=[plan])}" if plan else None},
    }
