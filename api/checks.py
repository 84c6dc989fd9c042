"""Checks: whether what a registry keeps is all there, and what was found broken."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Bytes, DigestText, Listing, Moment, Url, answer, done_answer, list_answer, moment, stamp
from api.door import acts, person_of, reads
from api.jobs import JobJson, job_json
from api.links import origin_of
from api.orders import Order
from api.parameters import Paging, RepositoryParameter, Text, page_of
from api.problems import Refusal
from catalog.reads.keyset import Column
from cleanup.models import Check, CheckFinding
from cleanup.models.checks import CheckQuerySet
from cleanup.verifying import services
from cleanup.verifying.terms import MOST_SAMPLED, Terms
from registries.models import Registry, for_asking

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
FINDING_COLUMNS: Final = {"found": Column("id", int)}

router = Router(tags=["Checks"])


class CheckLinks(TypedDict):
    self: Url
    findings: Url
    page: Annotated[str, Field(description="The page for people.")]


class CheckJson(TypedDict):
    id: int
    registry: Annotated[str, Field(examples=["local"])]
    state: Annotated[str, Field(description="waiting, under-way, done or broken-off.")]
    sample: Annotated[int | None, Field(description="Tags of each repository that it looks at; null: all.")]
    deep: Annotated[bool, Field(description="Every byte is read, and hashed.")]
    repository: Annotated[str | None, Field(description="The one that it is of; null: all.")]
    after_job: Annotated[int | None, Field(description="The sweep after which it was made.")]
    way: Annotated[str | None, Field(description="How it looked: api or folder.")]
    repositories: int
    tags: Annotated[int, Field(description="That were looked at.")]
    manifests: int
    blobs: int
    bytes_read: Bytes
    broken: Annotated[int, Field(description="Tags of which a part is missing, or differs.")]
    new: Annotated[int, Field(description="Of those the ones that nobody knew of before the last sweep.")]
    unasked: Annotated[int, Field(description="Tags that could not be asked for: neither whole nor broken.")]
    message: Annotated[str | None, Field(description="How it ended, in a sentence.")]
    created_at: Moment
    began_at: Moment | None
    ended_at: Moment | None
    job: Annotated[JobJson | None, Field(description="null where it waits for another check, or its job is gone.")]
    links: CheckLinks


class FindingJson(TypedDict):
    repository: str
    tag: Annotated[str | None, Field(description="null where the tags of the repository could not be listed.")]
    digest: DigestText | None
    part: Annotated[str | None, Field(description="The digest of what is missing, or differs.")]
    code: Annotated[
        str,
        Field(description="unreadable, no-manifest, no-child, no-config, no-layer, differs, or unasked: not broken."),
    ]
    sentence: Annotated[str, Field(examples=["4ada0e7fc5c9 is not there"])]
    new: Annotated[bool, Field(description="Nobody knew of it before the last sweep.")]
    open: Annotated[bool, Field(description="No later check has looked at this tag.")]
    first_seen: Moment


class CheckQuery(Paging):
    registry: Text = Field("", description="Only of the registry of this name.")


class FindingQuery(Paging):
    code: CheckFinding.Code | None = Field(None, description="Only these.")


class CheckOrder(Order):
    """What is to be looked at: all tags, unless it says otherwise."""

    registry: Text = Field(examples=["local"])
    sample: int | None = Field(
        default=None, ge=1, le=MOST_SAMPLED, description="So many random tags of each repository."
    )
    deep: bool = Field(default=False, description="Read every byte, and hash it.")
    repository: RepositoryParameter | None = Field(default=None, description="Only this one.", examples=["team/app"])


@reads(router, "/checks", "api-checks", Listing[CheckJson])
def list_checks(request: HttpRequest, query: Query[CheckQuery]) -> HttpResponse:
    """Checks, the newest first.

    Each looked at tags of a registry, down to their layers: whether all of it is there.
    """
    rows = _checks()
    if query.registry:
        rows = rows.filter(registry__name=query.registry)
    page = page_of(rows, COLUMNS, "newest", query)
    return list_answer(request, page, [check_json(request, row) for row in page.rows])


@acts(router, "POST", "/checks", "api-check-begin", {202: CheckJson})
def begin(request: HttpRequest, order: CheckOrder) -> HttpResponse:
    """Check a registry, or a repository of it.

    Nothing is changed by that. A worker does it: ask for the check again to watch it. Where one of this registry is
    under way, that is the answer. What it finds broken that nobody knew to be stops sweeps of the registry.
    """
    registry = Registry.objects.active().filter(name=order.registry).first()
    if registry is None:
        raise Refusal.of("registry", "no registry of ours has this name")
    terms = Terms(order.sample, order.deep, order.repository or "")
    check, _, _ = services.begin(registry, terms, person_of(request))
    said = check_json(request, _checks().get(pk=check.pk))
    return done_answer(said, 202, location=said["links"]["self"])


@reads(router, "/checks/{int:check_id}", "api-check", CheckJson)
def read_check(request: HttpRequest, check_id: int) -> HttpResponse:
    """One check.

    Ask again to watch it; its job says how far it is.
    """
    return answer(request, check_json(request, get_object_or_404(_checks(), pk=check_id)))


@reads(router, "/checks/{int:check_id}/findings", "api-check-findings", Listing[FindingJson])
def list_findings(request: HttpRequest, check_id: int, query: Query[FindingQuery]) -> HttpResponse:
    """What a check found, in the order in which it did.

    A tag of which several parts are missing is there several times.
    """
    rows = get_object_or_404(Check, pk=check_id).findings.all()
    if query.code:
        rows = rows.filter(code=query.code)
    page = page_of(rows, FINDING_COLUMNS, "found", query)
    return list_answer(request, page, [finding_json(row) for row in page.rows])


def check_json(request: HttpRequest, check: Check) -> CheckJson:
    origin = origin_of(request)
    itself = f"{origin}{reverse('api-checks')}/{check.pk}"
    return {
        "id": check.pk,
        "registry": check.registry.name,
        "state": check.state,
        "sample": check.sample,
        "deep": check.is_deep,
        "repository": check.repository or None,
        "after_job": check.after_job,
        "way": check.way or None,
        "repositories": check.repositories,
        "tags": check.tags,
        "manifests": check.manifests,
        "blobs": check.blobs,
        "bytes_read": check.size,
        "broken": check.broken,
        "new": check.new,
        "unasked": check.unasked,
        "message": check.message or None,
        "created_at": stamp(check.created_at),
        "began_at": moment(check.began_at),
        "ended_at": moment(check.ended_at),
        "job": job_json(request, check.job) if check.job else None,
        "links": {"self": itself, "findings": f"{itself}/findings", "page": f"{origin}{check.get_absolute_url()}"},
    }


def finding_json(row: CheckFinding) -> FindingJson:
    return {
        "repository": row.repository,
        "tag": row.tag or None,
        "digest": row.digest or None,
        "part": row.part or None,
        "code": row.code,
        "sentence": row.sentence,
        "new": row.is_new,
        "open": row.is_open,
        "first_seen": stamp(row.first_seen),
    }


def _checks() -> CheckQuerySet:
    return Check.objects.select_related("registry", "job__requested_by").defer(*for_asking("registry"))
