"""The history of a tag: which digests it has named, from when to when, and who moved it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import DigestText, Listing, Moment, Url, list_answer, moment, stamp
from api.door import reads
from api.links import Place, origin_of
from api.parameters import Paging, page_of
from audit.models import Entry
from catalog.models import Presence, Tag, TagSpan
from catalog.reads.keyset import Column

COLUMNS: Final = {"newest": Column("began", datetime, largest_first=True)}

router = Router(tags=["Tags"])


class SpanJson(TypedDict):
    digest: DigestText
    kind: Annotated[str, Field(examples=["index"])]
    began: Annotated[Moment, Field(description="When it was first seen to point here, or was pointed here by Berth.")]
    ended: Annotated[Moment | None, Field(description="null while it does.")]
    is_here: Annotated[bool, Field(description="The image is in the repository still, so that the tag can roll back.")]
    act: Annotated[str | None, Field(description="How it came, where that was through Berth; else somebody pushed it.")]
    who: Annotated[str | None, Field(description="Who moved it through Berth; null where you have not signed in.")]
    manifest: Annotated[Url, Field(description="What it pointed to.")]


@reads(
    router,
    "/repositories/{registry:registry}/{repository:repository}/-/tags/{tag:tag}/history",
    "api-tag-history",
    Listing[SpanJson],
)
def list_history(request: HttpRequest, registry: str, repository: str, tag: str, query: Query[Paging]) -> HttpResponse:
    """Which digests a tag has named, the newest first.

    As scans saw it, and as it was done through Berth; also of a tag that is gone.
    """
    tags = Tag.objects.select_related("repository__registry")
    row = get_object_or_404(tags, repository__registry__name=registry, repository__name=repository, name=tag)
    page = page_of(TagSpan.objects.filter(tag=row).select_related("manifest"), COLUMNS, "newest", query)
    moves = _moves(row, {span.began for span in page.rows})
    manifests = [span.manifest_id for span in page.rows]
    here = set(
        Presence.objects.present()
        .filter(repository=row.repository, manifest__in=manifests)
        .values_list("manifest", flat=True)
    )
    place = Place.of(row.repository, origin_of(request))
    return list_answer(request, page, [_span_json(request, span, here, moves, place) for span in page.rows])


def _moves(tag: Tag, moments: set[datetime]) -> dict[datetime, Entry]:
    """What was done to the tag through Berth at these moments."""
    entries = Entry.objects.of_tag(tag.repository.registry_id, tag.repository.name, tag.name)
    return {entry.at: entry for entry in entries.done_at(moments)}


def _span_json(
    request: HttpRequest, span: TagSpan, here: set[int], moves: Mapping[datetime, Entry], place: Place
) -> SpanJson:
    move = moves.get(span.began)
    return {
        "digest": span.manifest.digest,
        "kind": span.manifest.kind,
        "began": stamp(span.began),
        "ended": moment(span.ended),
        "is_here": span.manifest_id in here,
        "act": move.act if move else None,
        "who": (move.actor or None) if move and request.user.is_authenticated else None,
        "manifest": place.manifest(span.manifest.digest),
    }
