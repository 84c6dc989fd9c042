"""How an answer is written: JSON with an entity tag, pages of a list with the way to the next, moments.

Answers are built as plain dictionaries whose shapes the type checker knows and the documentation shows. Nothing is
validated on the way out: that could only turn an answer into a fault.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.encoding import escape_uri_path
from pydantic import Field
from typing_extensions import TypedDict

from api.links import origin_of
from catalog.reads.keyset import CAP, Page

ItemT = TypeVar("ItemT")

# Kept by whoever asked and by nobody between, and asked about each time.
_CACHING: Final = "private, max-age=0, must-revalidate"

Moment = Annotated[str, Field(description="RFC 3339, UTC.", examples=["2026-11-24T23:56:10Z"])]
Bytes = Annotated[int, Field(description="Bytes.", examples=[43_500_000], ge=0)]
DigestText = Annotated[str, Field(examples=["sha256:8f4a1c…"], description="algorithm:hex")]
Url = Annotated[str, Field(examples=["https://berth.example.com/api/v1/repositories/local/team/app"])]


class Listing(TypedDict, Generic[ItemT]):
    """One page of a list."""

    items: list[ItemT]
    next: Annotated[str | None, Field(description="The address of the page after this one; null on the last.")]
    previous: Annotated[str | None, Field(description="The address of the page before; null on the first.")]
    count: Annotated[int, Field(description=f"How many there are on all pages; it stops at {CAP}.", examples=[42])]
    count_is_capped: Annotated[bool, Field(description="There are more than `count`.")]


def moment(value: datetime | None) -> str | None:
    return None if value is None else stamp(value)


def stamp(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def answer(request: HttpRequest, document: Mapping[str, Any], *, link: str = "") -> HttpResponse:
    """`document` as JSON, or 304 where the tag in If-None-Match is that of these very bytes.

    Compression makes the tag a weak one, and If-None-Match compares weakly: it is found again either way.
    """
    body = json.dumps(document, separators=(",", ":")).encode()
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = _CACHING
    if link:
        response["Link"] = link
    etag = response["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:40]}"'
    patch_vary_headers(response, ["Accept-Encoding"])  # said of a 304 too, which nothing compresses
    conditional = get_conditional_response(request, etag=etag, response=response)
    assert isinstance(conditional, HttpResponse)  # noqa: S101  it is given one
    return conditional


def done_answer(document: Mapping[str, Any], status: int = 200, *, location: str = "") -> HttpResponse:
    """What came of an act, as JSON, and where it can be read again. Nobody keeps it."""
    response = HttpResponse(json.dumps(document, separators=(",", ":")), "application/json", status)
    response["Cache-Control"] = "private, no-store"
    if location:
        response["Location"] = location
    return response


def list_answer(request: HttpRequest, page: Page[Any], items: Sequence[Mapping[str, Any]]) -> HttpResponse:
    """One page, with the ways to its neighbours in the body and in the header Link (RFC 8288)."""
    around = {"next": beside(request, page.next), "prev": beside(request, page.previous)}
    document = {
        "items": items,
        "next": around["next"],
        "previous": around["prev"],
        "count": page.count,
        "count_is_capped": page.count_is_capped,
    }
    link = ", ".join(f'<{url}>; rel="{relation}"' for relation, url in around.items() if url)
    return answer(request, document, link=link)


def beside(request: HttpRequest, token: str | None) -> str | None:
    """The same question about the page that `token` leads to."""
    if token is None:
        return None
    query = request.GET.copy()
    query["cursor"] = token
    return f"{origin_of(request)}{escape_uri_path(request.path)}?{query.urlencode()}"
