"""Copies between our registries that somebody asks for, and what stands in them because of sync."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import Field

from api.answers import Listing, done_answer, list_answer
from api.door import acts, person_of, reads
from api.orders import Order
from api.parameters import Paging, RepositoryParameter, TagParameter, Text, page_of
from api.problems import Refusal
from api.sync_runs import run_of
from api.sync_shapes import RunBegunJson, SyncedJson, begun_json, synced_json
from catalog.models import Repository
from catalog.reads.keyset import Column
from oci.names import RepositoryName, TagName
from registries.models import Registry, for_asking
from sync.details import Moved
from sync.models import Synced
from sync.promoting import promote
from sync.rule_documents import MovedText

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
_MOST: Final = 500

router = Router(tags=["Sync"])

Tags = Annotated[list[TagParameter], Field(min_length=1, max_length=_MOST)]


class CopyTarget(Order):
    registry: Text = Field(examples=["prod"])
    repository: RepositoryParameter = Field(examples=["team/app"])
    tags: Tags | None = Field(default=None, description="Their names there, in the same order; without it, the same.")


class CopyOrder(Order):
    """Tags of one of our repositories, as the last scan saw them, and where to."""

    registry: Text = Field(examples=["staging"])
    repository: RepositoryParameter = Field(examples=["team/app"])
    tags: Tags = Field(examples=[["1.4.2"]])
    target: CopyTarget
    moved: MovedText = Field(
        "back-up",
        description="A tag there that points elsewhere: overwrite it, keep it under another tag first, or leave it.",
    )


class SyncedQuery(Paging):
    registry: Text = Field("", description="Only in the registry of this name.")
    repository: Text = Field("", description="Only in the repository of this name.")


@acts(router, "POST", "/sync/copies", "api-sync-copy", {202: RunBegunJson})
def copy(request: HttpRequest, order: CopyOrder) -> HttpResponse:
    """Copy tags from one of our registries to another.

    With all platforms and all that is attached. A worker does it: ask for the run or the job again to watch it. Sent
    twice, it finds everything there the second time.
    """
    names = order.target.tags or order.tags
    if len(names) != len(order.tags):
        raise Refusal.of("target.tags", "as many as tags, or none")
    if len(set(names)) != len(names) or len(set(order.tags)) != len(order.tags):
        raise Refusal.of("target.tags" if order.target.tags else "tags", "each of them once")
    rows = Repository.objects.select_related("registry")
    repository = get_object_or_404(rows, registry__name=order.registry, name=order.repository)
    target = Registry.objects.active().filter(name=order.target.registry).first()
    if target is None:
        raise Refusal.of("target.registry", "no registry of ours has this name")
    run, _ = promote(
        repository,
        {TagName(tag): TagName(name) for tag, name in zip(order.tags, names, strict=True)},
        target,
        RepositoryName(order.target.repository),
        person_of(request),
        moved=Moved(order.moved),
    )
    said = begun_json(request, run_of(run.pk))
    return done_answer(said, 202, location=said["run"]["links"]["self"])


@reads(router, "/sync/synced", "api-sync-synced", Listing[SyncedJson])
def list_synced(request: HttpRequest, query: Query[SyncedQuery]) -> HttpResponse:
    """Tags that were copied in, and where their origins stand, the newest first.

    As the last run that looked at them saw it.
    """
    rows = Synced.objects.select_related("registry", "source", "rule")
    rows = rows.defer(*for_asking("registry"), *for_asking("source"), "rule__terms")
    if query.registry:
        rows = rows.filter(registry__name=query.registry)
    if query.repository:
        rows = rows.filter(repository=query.repository)
    page = page_of(rows, COLUMNS, "newest", query)
    return list_answer(request, page, [synced_json(row) for row in page.rows])
