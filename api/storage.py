"""Storage: what registries use, and what of it each namespace and repository has alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Bytes, Listing, Moment, answer, list_answer, moment
from api.door import reads
from api.links import Place, origin_of
from api.parameters import Paging, Text, page_of
from catalog.models import NamespaceTotal, Scan
from catalog.reads.repository_bytes import RepositoryBytes, counted_at
from catalog.reads.storage import REPOSITORIES, disk_of, repositories_of
from catalog.reads.totals import COLUMNS
from registries.models import Registry

router = Router(tags=["Storage"])

Unique = Annotated[Bytes, Field(description="Bytes that nothing outside it uses: what would be free without it.")]
Shared = Annotated[Bytes, Field(description="Bytes that something outside it uses too, each once.")]
Saved = Annotated[Bytes, Field(description="Bytes that shared layers save. pushed = unique + shared + saved.")]
Stored = Annotated[Bytes, Field(description="Bytes of tagged images, each blob once.")]
Pushed = Annotated[Bytes, Field(description="Bytes of tagged images, as if none shared a blob.")]


class DiskJson(TypedDict):
    """What only the storage folder tells; it is counted seldom."""

    as_of: Moment | None
    bytes: Annotated[Bytes, Field(description="Of all blobs.")]
    blobs: int
    beside: Annotated[Bytes, Field(description="Of manifests, and of blobs that no tagged image uses.")]
    untagged_manifests: int | None
    uploads: Annotated[int | None, Field(description="Begun and not ended.")]
    upload_bytes: int | None


class RegistryStorageJson(TypedDict):
    """A registry as its last complete scan left it: its parts are what one top namespace uses, or several."""

    registry: Annotated[str, Field(examples=["local"])]
    as_of: Moment | None
    repositories: int
    tags: int
    images: int
    pushed: Pushed
    stored: Stored
    unique: Annotated[Bytes, Field(description="Bytes that one top namespace alone uses.")]
    shared: Annotated[Bytes, Field(description="Bytes that several top namespaces use, each once.")]
    saved: Saved


class RegistryStorageDetailJson(RegistryStorageJson):
    disk: Annotated[DiskJson | None, Field(description="null where no scan has read the folder.")]


class AllStorageJson(TypedDict):
    items: Annotated[list[RegistryStorageJson], Field(description="Registries that a scan has read to the end.")]


class NamespaceStorageJson(TypedDict):
    namespace: Annotated[str, Field(description="With all below it; empty: repositories without one.")]
    repositories: int
    tags: int
    images: int
    pushed: Pushed
    stored: Stored
    unique: Unique
    shared: Shared
    saved: Saved


class RepositoryStorageJson(TypedDict):
    repository: Annotated[str, Field(examples=["team/app"])]
    tags: int
    images: int
    pushed: Pushed
    stored: Stored
    unique: Annotated[int | None, Field(description="null until a scan that ends has counted it.")]
    shared: int | None
    saved: Saved
    self: str


class NamespaceQuery(Paging):
    namespace: Text = Field("", description="What lies right in this namespace; without it the top.")
    sort: Literal["pushed", "-pushed", "unique", "-unique"] = Field("pushed", description="Largest first.")


class RepositoryStorageQuery(Paging):
    namespace: Text = Field("", description="Only of this namespace and those below it.")
    sort: Literal["unique", "-unique", "size", "-size", "tags", "-tags", "name", "-name"] = Field(
        "unique", description="Largest or A first; with - the other way round."
    )


@reads(router, "/storage", "api-storage", AllStorageJson)
def read_storage(request: HttpRequest) -> HttpResponse:
    """What each active registry uses.

    As the last complete scans counted it.
    """
    scans = Scan.objects.newest_complete_of(Registry.objects.active()).select_related("registry")
    return answer(request, {"items": [_registry(scan) for scan in scans.order_by("registry__name")]})


@reads(router, "/storage/{registry:registry}", "api-storage-registry", RegistryStorageDetailJson)
def read_registry_storage(request: HttpRequest, registry: str) -> HttpResponse:
    """What one registry uses.

    404 until a scan has come to its end.
    """
    scan = get_object_or_404(Scan.objects.newest_complete_of([_found(registry)]).select_related("registry"))
    detail: RegistryStorageDetailJson = {**_registry(scan), "disk": _disk(scan.registry)}
    return answer(request, detail)


@reads(router, "/storage/{registry:registry}/namespaces", "api-storage-namespaces", Listing[NamespaceStorageJson])
def list_namespaces(request: HttpRequest, registry: str, query: Query[NamespaceQuery]) -> HttpResponse:
    """What the namespaces right in another one use."""
    rows = NamespaceTotal.objects.filter(registry=_found(registry), parent=query.namespace.strip("/"))
    page = page_of(rows, COLUMNS, query.sort, query)
    return list_answer(request, page, _namespaces(page.rows))


@reads(router, "/storage/{registry:registry}/repositories", "api-storage-repositories", Listing[RepositoryStorageJson])
def list_repository_storage(request: HttpRequest, registry: str, query: Query[RepositoryStorageQuery]) -> HttpResponse:
    """What the repositories of a registry use."""
    found = _found(registry)
    as_of = counted_at(Scan.objects.newest_complete_of([found]).first())
    page = page_of(repositories_of(found, query.namespace.strip("/")), REPOSITORIES, query.sort, query)
    for row in page.rows:
        row.registry = found
    origin = origin_of(request)
    items = [_repository(RepositoryBytes(row, as_of), Place.of(row, origin).here) for row in page.rows]
    return list_answer(request, page, items)


def _found(name: str) -> Registry:
    return get_object_or_404(Registry.objects.catalogs(), name=name)


def _registry(scan: Scan) -> RegistryStorageJson:
    return {
        "registry": scan.registry.name,
        "as_of": moment(scan.finished_at),
        "repositories": scan.repositories,
        "tags": scan.tags,
        "images": scan.images,
        "pushed": scan.pushed,
        "stored": scan.stored,
        "unique": scan.unique,
        "shared": scan.shared,
        "saved": scan.saved,
    }


def _disk(registry: Registry) -> DiskJson | None:
    disk = disk_of(registry)
    if disk is None:
        return None
    return {
        "as_of": moment(disk.scan.finished_at),
        "bytes": disk.scan.disk_bytes or 0,
        "blobs": disk.scan.disk_blobs or 0,
        "beside": disk.beside,
        "untagged_manifests": disk.scan.untagged_manifests,
        "uploads": disk.scan.uploads,
        "upload_bytes": disk.scan.upload_bytes,
    }


def _namespaces(rows: Sequence[NamespaceTotal]) -> list[NamespaceStorageJson]:
    return [
        {
            "namespace": row.namespace,
            "repositories": row.repositories,
            "tags": row.tags,
            "images": row.images,
            "pushed": row.pushed,
            "stored": row.stored,
            "unique": row.unique,
            "shared": row.shared,
            "saved": row.saved,
        }
        for row in rows
    ]


def _repository(row: RepositoryBytes, here: str) -> RepositoryStorageJson:
    return {
        "repository": row.repository.name,
        "tags": row.repository.tag_count,
        "images": row.repository.image_count,
        "pushed": row.repository.pushed,
        "stored": row.repository.size,
        "unique": row.unique if row.is_counted else None,
        "shared": row.shared if row.is_counted else None,
        "saved": row.saved,
        "self": here,
    }
