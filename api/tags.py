"""The tags of a repository: what each points to, and its aliases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Bytes, DigestText, Listing, Moment, Url, list_answer, moment, stamp
from api.door import reads
from api.links import Place, origin_of
from api.parameters import DigestParameter, Paging, Text, page_of
from api.repositories import DATED_BY, find_repository
from catalog.models import Presence, Repository, Tag
from catalog.models.tags import TagQuerySet
from catalog.reads.keyset import Column
from catalog.reads.platforms import platforms_of

COLUMNS: Final = {"name": Column("key", bytes)}  # the only order of tags that an index has
MOST_ALIASES: Final = 10

router = Router(tags=["Tags"])


class TagLinks(TypedDict):
    manifest: Annotated[Url | None, Field(description="What it points to.")]
    page: Annotated[str, Field(description="The page for people.")]


class TagJson(TypedDict):
    """A tag; what it points to is null while its manifest could never be read."""

    name: Annotated[str, Field(examples=["1.4.2"])]
    digest: DigestText | None
    kind: Annotated[str | None, Field(description="image, index, chart, signature, …", examples=["index"])]
    media_type: Annotated[str | None, Field(examples=["application/vnd.oci.image.index.v1+json"])]
    artifact_type: str | None
    platforms: Annotated[list[str], Field(examples=[["linux/amd64", "linux/arm64"]])]
    size: Annotated[Bytes | None, Field(description="Bytes of all its platforms that are here, each blob once.")]
    state: Annotated[
        str | None, Field(description="whole; no-config; incomplete: a part is not in this repository; unreadable")
    ]
    problem: Annotated[str | None, Field(description="Why it cannot be read, or what is missing.")]
    date: Annotated[Moment | None, Field(description="The best date of the image that is known.")]
    dated_by: Annotated[str | None, Field(description=f"What the date rests on. {DATED_BY}.", examples=["seen"])]
    pulls: Annotated[int | None, Field(description="Of the image, under any tag; null while no event told of one.")]
    pulled_at: Annotated[Moment | None, Field(description="When the image was last pulled, as far as events told.")]
    first_seen: Annotated[Moment, Field(description="When a scan first saw the tag.")]
    moved_at: Annotated[Moment, Field(description="When a scan saw it point to this digest first.")]
    gone_at: Annotated[Moment | None, Field(description="When a scan saw it no more.")]
    aliases: Annotated[list[str], Field(description=f"Other tags of this digest here, at most {MOST_ALIASES}.")]
    more_aliases: Annotated[int, Field(description="Aliases that are not listed.")]
    links: TagLinks


class TagQuery(Paging):
    q: Text = Field("", description="Only with this text in the name, small or capital.")
    digest: DigestParameter = Field("", description="Only those that point to this digest.")
    state: Literal["", "gone"] = Field("", description="Without it: tags that are there; gone: those that went.")
    sort: Literal["name", "-name"] = Field("name", description="Numbers by their value: 1.9 before 1.10.")


@reads(router, "/repositories/{registry:registry}/{repository:repository}/-/tags", "api-tags", Listing[TagJson])
def list_tags(request: HttpRequest, registry: str, repository: str, query: Query[TagQuery]) -> HttpResponse:
    """Tags of a repository.

    Each with what it points to; those that went with what they pointed to last.
    """
    row = find_repository(registry, repository)
    tags = _wanted(row, query)
    page = page_of(tags.select_related("presence__manifest"), COLUMNS, query.sort, query)
    images = {tag.presence_id: tag.presence for tag in page.rows if tag.presence}
    platforms = platforms_of((presence.manifest for presence in images.values()), exact=True)
    aliases, place = _aliases(images.values()), Place.of(row, origin_of(request))
    return list_answer(request, page, [_tag_json(tag, place, platforms, aliases) for tag in page.rows])


def _wanted(row: Repository, query: TagQuery) -> TagQuerySet:
    """By digest the image is found first: its few tags have an index, all those of the repository are many."""
    tags = Tag.objects.filter(repository=row)
    if query.digest:
        images = Presence.objects.filter(repository=row, manifest__digest=query.digest)
        tags = Tag.objects.filter(presence__in=list(images.values_list("pk", flat=True)))
    tags = tags.gone() if query.state == "gone" else tags.live()
    return tags.matching_here(query.q)


def _aliases(images: Iterable[Presence]) -> dict[int | None, list[str]]:
    """The first tags of each image, one more than are shown, since it is its own no alias. One query."""
    found: dict[int | None, list[str]] = {}
    for tag in Tag.objects.live().first_of_each(images, MOST_ALIASES + 1):
        found.setdefault(tag.presence_id, []).append(tag.name)
    return found


def _tag_json(
    tag: Tag, place: Place, platforms: Mapping[int, list[str]], aliases: Mapping[int | None, list[str]]
) -> TagJson:
    said: TagJson = {
        "name": tag.name,
        "digest": None,
        "kind": None,
        "media_type": None,
        "artifact_type": None,
        "platforms": [],
        "size": None,
        "state": None,
        "problem": tag.problem or None,
        "date": None,
        "dated_by": None,
        "pulls": None,
        "pulled_at": None,
        "first_seen": stamp(tag.first_seen),
        "moved_at": stamp(tag.moved_at),
        "gone_at": moment(tag.gone_at),
        "aliases": [],
        "more_aliases": 0,
        "links": {"manifest": None, "page": place.page_of_tag(tag.name)},
    }
    image = tag.presence
    if image is None:
        return said
    manifest = image.manifest
    others = [name for name in aliases.get(image.pk, []) if name != tag.name][:MOST_ALIASES]
    known = image.tag_count - (tag.gone_at is None)
    said["digest"], said["kind"], said["media_type"] = manifest.digest, manifest.kind, manifest.media_type or None
    said["artifact_type"], said["platforms"] = manifest.artifact_type or None, platforms[manifest.pk]
    said["size"], said["state"] = image.size or None, image.state
    said["problem"] = said["problem"] or image.problem or manifest.problem or None
    said["date"], said["dated_by"] = moment(image.date), image.dated_by
    said["pulls"], said["pulled_at"] = image.pulls if image.pulled_at else None, moment(image.pulled_at)
    said["aliases"], said["more_aliases"] = others, max(0, known - len(others))
    said["links"]["manifest"] = place.manifest(manifest.digest)
    return said
