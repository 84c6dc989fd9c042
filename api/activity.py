"""The activity: who did what to tags and images, and how it ended; a page of it, or all as a file."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from api.answers import DigestText, Listing, Moment, Url, list_answer, moment, stamp
from api.door import reads
from api.links import origin_of
from api.parameters import DigestParameter, Paging, Text, checked_cursor
from api.problems import Refusal
from audit.models import Entry
from audit.reads.files import MEDIA_TYPES, file_name, lines_of
from audit.reads.filters import GROUPS, EntryFilter, moment_in
from catalog.reads.entries import NEWEST_FIRST, entries_of
from registries.models import Registry
from tagging.models import Plan

ACTS: Final = "; ".join(f"{value}: {label}" for value, label in Entry.Act.choices)
SOURCES: Final = "; ".join(f"{value}: {label}" for value, label in Entry.Source.choices)
OUTCOMES: Final = "; ".join(f"{value}: {label}" for value, label in Entry.Outcome.choices)
_GROUPED: Final = "; ".join(f"{name}: {', '.join(acts)}" for name, acts in GROUPS.items())
_FORMS: Final = ("application/x-ndjson", "text/csv")


def _checked(text: str) -> str:
    """Raises ValueError."""
    try:
        moment_in(text, ends=True)
    except ValueError as error:
        raise ValueError("no day and no moment: 2026-11-27, or 2026-11-27T14:30:00Z") from error
    return text


Group = Literal["pushes", "moves", "deletes", "breaches"]
TimeText = Annotated[str, Field(max_length=64), AfterValidator(_checked)]

router = Router(tags=["Activity"])


class EntryLinks(TypedDict):
    plan: Annotated[Url | None, Field(description="The plan that it was a part of, while that is kept.")]


class EntryJson(TypedDict):
    """One act on one thing; the names are those of then."""

    id: int
    at: Annotated[Moment, Field(description="When Berth did it, or came to know it.")]
    since: Annotated[Moment | None, Field(description="When it happened at the earliest, where only a span is known.")]
    claimed_at: Annotated[Moment | None, Field(description="When it happened, as the registry claims.")]
    source: Annotated[str, Field(description=f"Who told it. {SOURCES}.", examples=["event"])]
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
    count: Annotated[int, Field(description="Of pulls that are one entry, of layers mounted, of tags changed.")]
    from_repository: Annotated[str | None, Field(description="Where layers were mounted from.")]
    address: Annotated[
        str | None, Field(description="From where, as the registry claims; null where you have not signed in.")
    ]
    user_agent: Annotated[
        str | None, Field(description="With which program, as the registry claims; null where you have not signed in.")
    ]
    event_id: Annotated[str | None, Field(description="Of the event that told it.")]
    why: Annotated[str | None, Field(description="As the person said it.")]
    detail: Annotated[
        str | None,
        Field(description="How it came to this outcome; whom notices go to is told only to whoever has signed in."),
    ]
    links: EntryLinks


class EntryQuery(Schema):
    """What may be asked of entries, of a page and of all of them."""

    registry: Text = Field("", description="Only in the registry of this name.")
    repository: Text = Field("", description="Only in the repository of this name, or of such: team/* or */api.")
    tag: Text = Field("", description="Only to the tag of this name.")
    digest: DigestParameter = Field("", description="Only with this digest, before or after.")
    actor: Text = Field("", description="Only of this person, as `actor` names them; for whoever has signed in.")
    address: Text = Field("", description="Only from this address; for whoever has signed in.")
    act: Entry.Act | Group | None = Field(None, description=f"Only of this kind, or of one of several: {_GROUPED}.")
    outcome: Entry.Outcome | None = Field(None, description="Only what ended so.")
    source: Entry.Source | None = Field(None, description="Only what was told by this.")
    since: TimeText = Field("", alias="from", description="Only since this day or moment, as RFC 3339 writes them.")
    until: TimeText = Field("", alias="to", description="Only until this moment, or to the end of this day; in UTC.")


class ActivityQuery(Paging, EntryQuery):
    pass


class ExportQuery(EntryQuery):
    form: Literal["csv", "jsonl"] = Field("jsonl", alias="format", description="csv, or jsonl: a JSON object a line.")


@reads(router, "/activity", "api-activity", Listing[EntryJson])
def list_activity(request: HttpRequest, query: Query[ActivityQuery]) -> HttpResponse:
    """What was done through Berth, told by registries and found by scans, the newest first.

    Also what was tried and left alone, or failed. Where no index has just what is asked for, a page may hold fewer
    entries than `limit`, even none, and lead on: follow `next`. Such a list has no `previous`, and counts its own page.
    """
    asked = _asked(request, query)
    cursor = checked_cursor(query.cursor, NEWEST_FIRST)
    page = entries_of(asked, cursor, size=query.limit, begins_anew=False).page
    kept = set(Plan.objects.filter(pk__in={entry.plan_id for entry in page.rows}).values_list("pk", flat=True))
    return list_answer(request, page, [_entry_json(request, entry, kept) for entry in page.rows])


@reads(router, "/activity/export", "api-activity-export", str, media_types=tuple(_FORMS))
def export_activity(request: HttpRequest, query: Query[ExportQuery]) -> StreamingHttpResponse:
    """All entries that are asked for, as one file, the newest first; for whoever has signed in.

    It is written while it is read, so it may be as long as it likes. No spreadsheet takes a cell for a formula: where
    one would, the cell begins with an apostrophe.
    """
    if not request.user.is_authenticated:
        raise Refusal(401, "Only whoever has signed in may take all of it.")
    asked, name = _asked(request, query), file_name(query.form, timezone.now())
    headers = {"Content-Type": MEDIA_TYPES[query.form], "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines_of(asked, query.form) if request.method == "GET" else (), headers=headers)


def _asked(request: HttpRequest, query: EntryQuery) -> EntryFilter:
    """Raises Refusal."""
    if (query.actor or query.address) and not request.user.is_authenticated:
        raise Refusal(401, "Only whoever has signed in is told who did something.")
    known = Registry.objects.filter(name=query.registry).values_list("pk", flat=True) if query.registry else None
    return EntryFilter(
        act=query.act or "",
        outcome=query.outcome or "",
        source=query.source or "",
        actor=query.actor,
        address=query.address,
        registry=query.registry,
        registry_id=known.first() if known is not None else None,
        repository=query.repository,
        tag=query.tag,
        digest=query.digest,
        since=moment_in(query.since),
        until=moment_in(query.until, ends=True),
    )


def _entry_json(request: HttpRequest, entry: Entry, kept: set[int]) -> EntryJson:
    plan, is_told_who = entry.plan_id if entry.plan_id in kept else None, request.user.is_authenticated
    return {
        "id": entry.pk,
        "at": stamp(entry.at),
        "since": moment(entry.since),
        "claimed_at": moment(entry.claimed_at),
        "source": entry.source,
        "act": entry.act,
        "outcome": entry.outcome,
        "actor": (entry.actor or None) if is_told_who else None,
        "registry": entry.registry or None,
        "repository": entry.repository or None,
        "tag": entry.tag or None,
        "digest_before": entry.digest_before or None,
        "digest_after": entry.digest_after or None,
        "count": entry.count,
        "from_repository": entry.from_repository or None,
        "address": (entry.address or None) if is_told_who else None,
        "user_agent": (entry.user_agent or None) if is_told_who else None,
        "event_id": entry.event_id or None,
        "why": entry.why or None,
        "detail": (entry.detail or None) if is_told_who or not entry.names_recipients else None,
        "links": {"plan": f"{origin_of(request)}{reverse('api-plan', args=[plan])}" if plan else None},
    }
