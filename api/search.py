"""The search: what the field in the head of every page finds, for machines."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query as FromQuery
from ninja import Router, Schema
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import DigestText, Url, answer, beside
from api.door import reads
from api.links import Place, origin_of
from api.parameters import checked_cursor
from catalog.models import Presence, Repository, Tag
from catalog.searching import finding
from catalog.searching.query import LONGEST, Query
from catalog.searching.references import Pasted
from catalog.searching.tag_search import NEWEST_FIRST, TagSearch
from registries.models import Registry

MOST: Final = 50

router = Router(tags=["Search"])


class FoundRepositoryJson(TypedDict):
    registry: Annotated[str, Field(examples=["local"])]
    name: Annotated[str, Field(examples=["team/app"])]
    tag_count: int
    self: Url
    page: Annotated[str, Field(description="The page for people.")]


class FoundTagJson(TypedDict):
    registry: str
    repository: str
    name: Annotated[str, Field(examples=["1.4.2"])]
    digest: DigestText | None
    manifest: Annotated[Url | None, Field(description="What it points to.")]
    page: str


class FoundImageJson(TypedDict):
    """What a digest, a label or a type leads to; `tag` is null where no tag points to it."""

    registry: str
    repository: str
    tag: str | None
    digest: DigestText
    kind: Annotated[str, Field(examples=["image"])]
    artifact_type: str | None
    manifest: Url
    page: str


class HereJson(TypedDict):
    """A repository that a reference may mean; `digest` is null where it has no such tag or digest."""

    repository: FoundRepositoryJson
    digest: DigestText | None


class ReferenceJson(TypedDict):
    """A reference that was pasted, with what a client fills in."""

    typed: Annotated[str, Field(examples=["golang"])]
    registry: Annotated[str, Field(examples=["docker.io"])]
    repository: Annotated[str, Field(examples=["library/golang"])]
    tag: Annotated[str | None, Field(examples=["latest"])]
    digest: DigestText | None
    filled_in: Annotated[list[str], Field(description="Parts that were not typed.", examples=[["registry", "tag"]])]
    here: list[HereJson]


class SearchJson(TypedDict):
    query: str
    unknown: Annotated[list[str], Field(description="Qualifiers that mean nothing and were left out.")]
    reference: ReferenceJson | None
    repositories: list[FoundRepositoryJson]
    tags: Annotated[list[FoundTagJson], Field(description="The newest first.")]
    images: Annotated[list[FoundImageJson], Field(description="By the beginning of a digest, by label, by type.")]
    next: Annotated[str | None, Field(description="More tags, where `in=tags` was asked for; null on the last page.")]


class SearchQuery(Schema):
    q: str = Field(
        max_length=LONGEST,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="Words, a pattern with *, a digest, a reference or a command that holds one; or with qualifiers: "
        "repo: ns: tag: registry: label:name=value platform: kind: type: digest: "
        "In many tags a single letter finds only those of just this name.",
        examples=["*/api:1.*"],
    )
    within: Literal["", "tags"] = Field("", alias="in", description="tags: only those, page by page.")
    limit: int = Field(10, ge=1, le=MOST, description="The most of each kind.")
    cursor: str = Field("", max_length=2000, description="Where a page of tags begins, from `next`.")


@reads(router, "/search", "api-search", SearchJson)
def search(request: HttpRequest, query: FromQuery[SearchQuery]) -> HttpResponse:
    """Search everything.

    Repositories, tags and images of all active registries, the best first, and what a pasted reference means.
    """
    asked, registries = Query.parse(query.q), list(Registry.objects.active().by_name())
    of_tags, origin, found = TagSearch(asked, registries), origin_of(request), _nothing(asked)
    if query.within == "tags":
        page = of_tags.page(checked_cursor(query.cursor, NEWEST_FIRST), query.limit)
        found["tags"], found["next"] = [_tag(tag, origin) for tag in page.rows], beside(request, page.next)
        return answer(request, found)
    found["reference"] = _reference(asked, registries, origin)
    found["repositories"] = [_repository(r, origin) for r in finding.repositories(asked, registries, query.limit)]
    found["tags"] = [_tag(tag, origin) for tag in of_tags.best(query.limit)]
    found["images"] = [_image(row, origin) for row in finding.images(asked, registries, query.limit)]
    return answer(request, found)


def _nothing(query: Query) -> SearchJson:
    return {
        "query": query.text,
        "unknown": list(query.unknown),
        "reference": None,
        "repositories": [],
        "tags": [],
        "images": [],
        "next": None,
    }


def _repository(row: Repository, origin: str) -> FoundRepositoryJson:
    place = Place.of(row, origin)
    return {
        "registry": row.registry.name,
        "name": row.name,
        "tag_count": row.tag_count,
        "self": place.here,
        "page": place.page,
    }


def _tag(tag: Tag, origin: str) -> FoundTagJson:
    place = Place.of(tag.repository, origin)
    digest = tag.presence.manifest.digest if tag.presence else None
    return {
        "registry": tag.repository.registry.name,
        "repository": tag.repository.name,
        "name": tag.name,
        "digest": digest,
        "manifest": place.manifest(digest) if digest else None,
        "page": place.page_of_tag(tag.name),
    }


def _image(row: Presence, origin: str) -> FoundImageJson:
    place, manifest = Place.of(row.repository, origin), row.manifest
    return {
        "registry": row.repository.registry.name,
        "repository": row.repository.name,
        "tag": row.lead_tag or None,
        "digest": manifest.digest,
        "kind": manifest.kind,
        "artifact_type": manifest.artifact_type or None,
        "manifest": place.manifest(manifest.digest),
        "page": place.page_of_manifest(manifest.digest),
    }


def _reference(query: Query, registries: list[Registry], origin: str) -> ReferenceJson | None:
    if query.pasted is None:
        return None
    rows = finding.pasted_here(query, registries)
    targets = finding.pasted_targets(query, rows)
    here: list[HereJson] = []
    for row in rows:
        presence = targets.get(row.pk)
        here.append({"repository": _repository(row, origin), "digest": presence.manifest.digest if presence else None})
    return _said(query.pasted, here)


def _said(pasted: Pasted, here: list[HereJson]) -> ReferenceJson:
    reference = pasted.reference
    return {
        "typed": pasted.typed,
        "registry": reference.registry,
        "repository": reference.repository,
        "tag": reference.tag,
        "digest": str(reference.digest) if reference.digest else None,
        "filled_in": [part.name.value for part in pasted.parts if part.is_default],
        "here": here,
    }
