"""How rules of sync, their runs and what stands because of them are told."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest
from django.urls import reverse
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import DigestText, Moment, Url, moment, stamp
from api.jobs import JobJson, job_json
from api.links import origin_of
from registries.models import Registry, for_asking
from sync.models import Rule, Run, Synced
from sync.rule_documents import RuleSaid, rule_document
from sync.run_documents import RunDocument, run_document
from sync.terms import InvalidTerms

BOTH: Final = (*for_asking("source"), *for_asking("target"))
"""What only who asks the two registries of a rule or a run needs of them."""
UNREADABLE: Final = "It cannot be read: a newer Berth wrote it, or somebody changed its row."


class RuleLinks(TypedDict):
    self: Url
    runs: Annotated[Url, Field(description="Its runs, the newest first.")]
    run: Annotated[Url, Field(description="POST here to have it carried out, or only planned.")]
    page: Annotated[str, Field(description="The page for people.")]


class RuleJson(RuleSaid):
    next_at: Annotated[Moment | None, Field(description="When it is due; null: when somebody asks.")]
    who: Annotated[str | None, Field(description="Who made it; null where you have not signed in.")]
    created_at: Moment
    links: RuleLinks


class UnreadRuleJson(TypedDict):
    """A rule that this Berth cannot read, and does not run. It can be removed."""

    name: str
    source: Annotated[str, Field(description="The registry that is copied from.")]
    target: Annotated[str, Field(description="The registry that is copied into.")]
    is_on: bool
    problem: Annotated[str, Field(description="Why it cannot be read.")]
    who: Annotated[str | None, Field(description="Who made it; null where you have not signed in.")]
    created_at: Moment
    links: RuleLinks


class RunLinks(TypedDict):
    self: Url
    items: Annotated[Url, Field(description="What it does to each tag.")]
    rule: Annotated[Url | None, Field(description="The rule, while there is one.")]
    job: Annotated[Url | None, Field(description="The job that carries it out, or did last.")]
    carry_on: Annotated[Url, Field(description="POST here to carry out what is planned, or the rest of it.")]
    weigh: Annotated[Url, Field(description="POST here to have the bytes of a plan counted.")]
    try_again: Annotated[Url, Field(description="POST here to try once more what failed.")]
    stop: Annotated[Url, Field(description="POST here to stop it.")]
    page: Annotated[str, Field(description="The page for people.")]


class RunJson(RunDocument):
    who: Annotated[
        str | None, Field(description="Who asked for it; null: its schedule, a command, or you have not signed in.")
    ]
    links: RunLinks


class RunBegunJson(TypedDict):
    """A run, and the job that carries it out: ask for either again to watch it."""

    run: RunJson
    job: JobJson


class OriginJson(TypedDict):
    registry: Annotated[str, Field(examples=["docker-hub"])]
    repository: Annotated[str, Field(examples=["library/golang"])]
    tag: str | None


class SyncedJson(TypedDict):
    """A tag that was copied in, and where its origin stands."""

    registry: str
    repository: str
    tag: str
    digest: Annotated[DigestText, Field(description="What was put; another than upstream where platforms were chosen.")]
    origin: OriginJson
    rule: str | None
    upstream: Annotated[DigestText, Field(description="Of the origin, when it was copied.")]
    copied_at: Moment
    seen: Annotated[DigestText | None, Field(description="Of the origin, when it was last looked at; null: gone.")]
    seen_at: Moment
    upstream_moved: Annotated[
        bool, Field(description="The origin points to another image than was copied, or is gone.")
    ]


class SourceLimits(TypedDict):
    """How much it is asked at most; null for no limit."""

    at_once: Annotated[int | None, Field(description="Requests.")]
    requests_per_second: float | None
    bytes_per_second: int | None
    quota_floor: Annotated[int, Field(description="Pulls of its quota that are kept for others.")]


class SourceLinks(TypedDict):
    self: Annotated[Url, Field(description="PUT here what is to change; DELETE this to forget it.")]


class SourceJson(TypedDict):
    """A registry that is only copied from. What it is asked with is never told."""

    name: str
    url: Annotated[str, Field(description="As Berth reaches it.", examples=["https://registry-1.docker.io"])]
    preset: Annotated[str | None, Field(description="The well-known service that it is.", examples=["docker-hub"])]
    signs_in: Annotated[bool, Field(description="Berth has credentials for it.")]
    by_proxy: bool
    limits: SourceLimits
    problem: Annotated[str | None, Field(description="A word for why it could not be used when it was tested last.")]
    tested_at: Moment | None
    created_at: Moment
    links: SourceLinks


def rule_json(request: HttpRequest, rule: Rule) -> RuleJson:
    """Raises InvalidTerms."""
    return {
        **rule_document(rule.details),
        "next_at": moment(rule.next_at),
        "who": (rule.created_by or None) if request.user.is_authenticated else None,
        "created_at": stamp(rule.created_at),
        "links": _rule_links(request, rule),
    }


def any_rule_json(request: HttpRequest, rule: Rule) -> RuleJson | UnreadRuleJson:
    try:
        return rule_json(request, rule)
    except InvalidTerms:
        return {
            "name": rule.name,
            "source": rule.source.name,
            "target": rule.target.name,
            "is_on": rule.is_on,
            "problem": UNREADABLE,
            "who": (rule.created_by or None) if request.user.is_authenticated else None,
            "created_at": stamp(rule.created_at),
            "links": _rule_links(request, rule),
        }


def _rule_links(request: HttpRequest, rule: Rule) -> RuleLinks:
    origin = origin_of(request)
    here = f"{origin}{reverse('api-sync-rule', args=[rule.name])}"
    return {
        "self": here,
        "runs": f"{origin}{reverse('api-sync-runs')}?rule={rule.name}",
        "run": f"{here}/runs",
        "page": f"{origin}{rule.get_absolute_url()}",
    }


def run_json(request: HttpRequest, run: Run) -> RunJson:
    origin = origin_of(request)
    here = f"{origin}{reverse('api-sync-run', args=[run.pk])}"
    return {
        **run_document(run),
        "who": (run.actor or None) if request.user.is_authenticated else None,
        "links": {
            "self": here,
            "items": f"{here}/items",
            "rule": f"{origin}{reverse('api-sync-rule', args=[run.rule.name])}" if run.rule else None,
            "job": f"{origin}{reverse('api-job', args=[run.job_id])}" if run.job_id else None,
            "carry_on": f"{here}/carry-on",
            "weigh": f"{here}/weigh",
            "try_again": f"{here}/try-again",
            "stop": f"{here}/stop",
            "page": f"{origin}{run.get_absolute_url()}",
        },
    }


def begun_json(request: HttpRequest, run: Run) -> RunBegunJson:
    assert run.job is not None  # noqa: S101  it was just given one
    return {"run": run_json(request, run), "job": job_json(request, run.job)}


def synced_json(row: Synced) -> SyncedJson:
    return {
        "registry": row.registry.name,
        "repository": row.repository,
        "tag": row.tag,
        "digest": row.digest,
        "origin": {
            "registry": row.source.name,
            "repository": row.source_repository,
            "tag": row.source_tag or None,
        },
        "rule": row.rule.name if row.rule else None,
        "upstream": row.upstream,
        "copied_at": stamp(row.copied_at),
        "seen": row.seen or None,
        "seen_at": stamp(row.seen_at),
        "upstream_moved": row.seen != row.upstream,
    }


def source_json(request: HttpRequest, source: Registry, *, by_proxy: bool) -> SourceJson:
    return {
        "name": source.name,
        "url": source.url,
        "preset": source.preset or None,
        "signs_in": bool(source.username or source.client_certificate),
        "by_proxy": by_proxy,
        "limits": {
            "at_once": source.at_once,
            "requests_per_second": source.requests_per_second,
            "bytes_per_second": source.bytes_per_second,
            "quota_floor": source.quota_floor,
        },
        "problem": str(source.capability("problem") or "") or None,
        "tested_at": moment(source.probed_at),
        "created_at": stamp(source.created_at),
        "links": {"self": f"{origin_of(request)}{reverse('api-sync-source', args=[source.name])}"},
    }
