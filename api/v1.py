"""The API, its first version: a contract that scripts rest on."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Any, Final

from ninja import NinjaAPI

from api import (
    activity,
    checks,
    cleanup_schedules,
    deletions,
    garbage_collections,
    history,
    jobs,
    manifests,
    pins,
    plans,
    protection,
    repositories,
    retention_policies,
    retention_runs,
    search,
    storage,
    sweep_terms,
    sweeps,
    sync_copies,
    sync_rules,
    sync_runs,
    sync_sources,
    tags,
    trash,
    untagged,
)
from api.door import Reader
from api.problems import MEDIA_TYPE, add_handlers, said_of

ROOT: Final = "/api/v1"
DESCRIPTION: Final = """What the pages of Berth show, for machines, and what people do to tags there.

It tells what the last scans saw. Who may act makes a plan, which changes nothing, and has it carried out; to delete a
tag and to restore are one request each, with a plan all the same.

Lists are paged: follow `next`, or the header `Link`, until there is none, and make up no cursor. Each answer to GET has
an `ETag`: send it back in `If-None-Match`, and what has not changed is a short 304. What goes wrong is an
`application/problem+json`.
"""

API: Final = NinjaAPI(
    title="Berth",
    version="1",
    description=DESCRIPTION,
    openapi_url=None,  # documentation.py serves both
    docs_url=None,
    auth=Reader(),
)
for _module in (
    *(repositories, tags, history, deletions, manifests, search, storage, plans, trash, protection, pins),
    *(sync_sources, sync_rules, sync_runs, sync_copies, checks, sweeps, sweep_terms, untagged, garbage_collections),
    *(retention_policies, retention_runs, cleanup_schedules, activity, jobs),
):
    API.add_router("", _module.router)
add_handlers(API)


@cache
def description() -> dict[str, Any]:
    """The API as OpenAPI describes it, made once: it costs as much as a hundred answers."""
    document = dict(API.get_openapi_schema(path_prefix=ROOT))
    for operations in document["paths"].values():
        operations.pop("head", None)  # goes without saying where there is GET
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= HTTPStatus.BAD_REQUEST:
                    schema = response["content"]["application/json"]["schema"]
                    example = said_of(status, f"{ROOT}/repositories")
                    response["content"] = {MEDIA_TYPE: {"schema": schema, "example": example}}
    return document
