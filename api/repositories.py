"""Repositories: of all active registries, and one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Bytes, DigestText, Listing, Moment, Url, answer, list_answer, moment, stamp
from api.door import reads
from api.links import Place, origin_of
from api.parameters import Paging, Text, page_of
from catalog.models import Presence, Repository, Scan
from catalog.models.repositories import RepositoryQuerySet
from catalog.reads.platforms import platforms_of
from catalog.reads.repositories import COLUMNS, Filters, add_platforms
from registries.models import Registry

DATED_BY: Final = "; ".join(f"{value}: {label}" for value, label in Presence.DatedBy.choices)

router = Router(tags=["Repositories"])


class NewestJson(TypedDict):
    """The newest image of a repository."""

    tag: Annotated[str, Field(description="The alias that says most.", examples=["1.4.2"])]
    digest: DigestText
    kind: Annotated[str, Field(examples=["index"])]
    platforms: Annotated[list[str], Field(examples=[["linux/amd64", "linux/arm64"]])]
    date: Annotated[Moment | None, Field(description="The best date that is known.")]
    dated_by: Annotated[str, Field(description=f"What the date rests on. {DATED_BY}.", examples=["created"])]


class RepositoryLinks(TypedDict):
    self: Url
    tags: Url
    page: Annotated[str, Field(description="The page for people.")]


class RepositoryJson(TypedDict):
    registry: Annotated[str, Field(examples=["local"])]
    name: Annotated[str, Field(examples=["team/app"])]
    namespace: Annotated[str, Field(description="What stands before the last slash.", examples=["team"])]
    reference: Annotated[
        str, Field(description="What stands before the tag in a pull command.", examples=["registry.lab:5000/team/app"])
    ]
    state: Annotated[
        str, Field(description="new: not scanned yet; whole; empty: without a tag; failed: it could not be read.")
    ]
    problem: Annotated[str | None, Field(description="Why its last scan failed, if it did.")]
    tag_count: int
    image_count: Annotated[int, Field(description="Digests that have a tag.")]
    problem_count: Annotated[int, Field(description="Tags that cannot be read, and images with a part missing.")]
    size: Annotated[Bytes, Field(description="Bytes stored of its images: each blob once.")]
    pushed: Annotated[Bytes, Field(description="Bytes of its tagged images, as if none shared a blob.")]
    saved: Annotated[Bytes, Field(description="Bytes that shared layers save: pushed less size.")]
    newest: NewestJson | None
    first_seen: Moment
    changed_at: Annotated[Moment | None, Field(description="The newest date in it, or when a tag went.")]
    gone_at: Annotated[Moment | None, Field(description="Since when complete catalogs lack it.")]
    links: RepositoryLinks


class RepositoryDetailJson(RepositoryJson):
    scanned_at: Annotated[Moment | None, Field(description="When a scan last saw it whole.")]


class RepositoryQuery(Paging):
    registry: Text = Field("", description="Only of the registry of this name.")
    namespace: Text = Field("", description="Only of this namespace and those below it.")
    q: Text = Field("", description="Only with this text in the name.")
    state: Literal["", "problems", "empty", "gone"] = Field("", description="Without it: all that is there.")
    sort: Literal["changed", "-changed", "name", "-name", "tags", "-tags", "size", "-size"] = Field(
        "changed", description="Latest, largest or A first; with - the other way round."
    )


@reads(router, "/repositories", "api-repositories", Listing[RepositoryJson])
def list_repositories(request: HttpRequest, query: Query[RepositoryQuery]) -> HttpResponse:
    """Repositories of all active registries.

    As the last scans saw them.
    """
    active = Registry.objects.active().values_list("pk", "name")
    wanted = [key for key, name in active if query.registry in {"", name}]
    filters = Filters(query.q.strip(), query.namespace, query.state)
    rows = filters.apply(Repository.objects.filter(registry__in=wanted))
    page = page_of(rows, COLUMNS, query.sort, query, RepositoryQuerySet.for_list)
    add_platforms(page, exact=True)
    origin = origin_of(request)
    return list_answer(request, page, [repository_json(row, row.platforms, origin) for row in page.rows])  # type: ignore[attr-defined]


@reads(router, "/repositories/{registry:registry}/{repository:repository}", "api-repository", RepositoryDetailJson)
def read_repository(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    """One repository.

    Its registry may have retired, and it may be gone: what was seen of it stays.
    """
    row = find_repository(registry, repository)
    manifest = row.newest.manifest if row.newest else None
    platforms = platforms_of([manifest], exact=True)[manifest.pk] if manifest else []
    detail: RepositoryDetailJson = {
        **repository_json(row, platforms, origin_of(request)),
        "scanned_at": moment(_scanned_at(row)),
    }
    return answer(request, detail)


def find_repository(registry: str, name: str) -> Repository:
    return get_object_or_404(Repository.objects.for_list(), registry__name=registry, name=name)


def repository_json(row: Repository, platforms: list[str], origin: str) -> RepositoryJson:
    place = Place.of(row, origin)
    return {
        "registry": row.registry.name,
        "name": row.name,
        "namespace": row.namespace,
        "reference": f"{row.registry.pull_host}/{row.name}",
        "state": row.state,
        "problem": row.problem or None,
        "tag_count": row.tag_count,
        "image_count": row.image_count,
        "problem_count": row.problem_count,
        "size": row.size,
        "pushed": row.pushed,
        "saved": max(0, row.pushed - row.size),
        "newest": _newest(row.newest, platforms) if row.newest else None,
        "first_seen": stamp(row.first_seen),
        "changed_at": moment(row.last_change),
        "gone_at": moment(row.gone_at),
        "links": {"self": place.here, "tags": place.tags, "page": place.page},
    }


def _newest(presence: Presence, platforms: list[str]) -> NewestJson:
    return {
        "tag": presence.lead_tag,
        "digest": presence.manifest.digest,
        "kind": presence.manifest.kind,
        "platforms": platforms,
        "date": moment(presence.date),
        "dated_by": presence.dated_by,
    }


def _scanned_at(row: Repository) -> datetime | None:
    """While it can be read and is not gone, each complete scan of its registry saw it whole."""
    if row.gone_at or row.scanned_at is None or row.state == Repository.State.FAILED:
        return row.scanned_at
    last = Scan.objects.newest_complete_of([row.registry]).first()
    return max(row.scanned_at, last.finished_at) if last and last.finished_at else row.scanned_at
