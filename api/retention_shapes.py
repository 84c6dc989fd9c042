"""How policies of retention, their runs and what these decide are told, and what may be asked of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from django.urls import reverse
from pydantic import ConfigDict, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from api.answers import Bytes, DigestText, Moment, Url, moment, stamp
from api.jobs import JobJson, job_json
from api.links import origin_of
from api.orders import Order
from api.parameters import Text
from cleanup.models import Policy, RetentionRun, RunRepository, RunTag
from cleanup.retention.results import reasons_of, sentence_of
from cleanup.retention.terms import MOST_DAYS, MOST_KEPT, MOST_PATTERNS, MOST_RULES, InvalidTerms, Rule
from cleanup.retention.terms import Terms as ReadTerms

UNREADABLE: Final = "It cannot be read: a newer Berth wrote it, or somebody changed its row."
_STRICT: Final = ConfigDict(extra="forbid", strict=True)
_INDEX: Final = re.compile(r"\[([0-9]+)\]", re.ASCII)

Pattern = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=MOST_PATTERNS)]
Days = Annotated[int | None, Field(ge=1, le=MOST_DAYS)]
Number = Annotated[int | None, Field(ge=1, le=MOST_KEPT)]


@with_config(_STRICT)
class RetentionRuleDocument(TypedDict, total=False):
    """What it keeps of the tags that it speaks of: whatever one of its conditions keeps. Without any, nothing."""

    tags: Annotated[Patterns, Field(description="Patterns with * and ?; ! in front takes out again.")]
    newest: Annotated[Number, Field(description="So many, by push.")]
    newest_versions: Annotated[Number, Field(description="So many versions of each line.")]
    line: Annotated[Literal["all", "major", "minor"], Field(description="The versions that compete with each other.")]
    younger_than: Annotated[Days, Field(description="What was pushed within so many days.")]
    pulled_within: Annotated[Days, Field(description="What was pulled within so many days.")]


@with_config(_STRICT)
class RetentionSchedule(TypedDict, total=False):
    """When it is carried out: without any of it, when somebody asks."""

    when: Literal["by-hand", "cron", "every"]
    cron: Annotated[Pattern, Field(description="Five fields.", examples=["30 4 * * 1-5"])]
    zone: Annotated[Pattern, Field(description="Of cron and window.", examples=["Asia/Seoul"])]
    every: Annotated[int, Field(description="Minutes.", ge=0, le=2**31 - 1)]
    window: Annotated[Pattern, Field(description="Hours in which it runs; empty: all day.", examples=["22:00-06:00"])]


class RetentionTerms(Order):
    """Which repositories, which of their tags, and when."""

    repositories: Patterns = Field(description="* crosses slashes; ! in front takes out again.", examples=[["team/*"]])
    rules: Annotated[list[RetentionRuleDocument], Field(max_length=MOST_RULES)] = Field(
        default_factory=list, description="Without any it keeps all."
    )
    aliases: Literal["kept", "judged"] = Field("kept", description="What becomes of other tags of an image that stays.")
    may_empty: bool = Field(default=False, description="A repository may lose its last image.")
    uses_created: bool = Field(default=False, description="Where no push is known, when an image says it was made.")
    schedule: RetentionSchedule = Field(default_factory=RetentionSchedule)

    def terms(self) -> dict[str, Any]:
        """What `cleanup.retention.terms` reads, which checks the rest."""
        return self.model_dump(include=set(RetentionTerms.model_fields), exclude_unset=False)


class PolicyOrder(RetentionTerms):
    """A policy that is to be."""

    name: Text = Field(description="Small letters, digits and single hyphens.", examples=["releases"])
    registry: Text = Field(examples=["local"])
    is_on: bool = Field(default=True, description="It decides, and its schedule is heeded.")


class PolicyLinks(TypedDict):
    self: Url
    runs: Annotated[Url, Field(description="Runs of its registry, the newest first.")]
    page: Annotated[str, Field(description="The page for people.")]


class PolicyJson(TypedDict):
    name: str
    registry: Annotated[str, Field(examples=["local"])]
    is_on: bool
    repositories: list[str]
    rules: list[RetentionRuleDocument]
    aliases: str
    may_empty: bool
    uses_created: bool
    schedule: RetentionSchedule
    position: Annotated[int, Field(description="The first that fits a repository decides there.")]
    next_at: Annotated[Moment | None, Field(description="When it is due; null: when somebody asks.")]
    who: Annotated[str | None, Field(description="Who made it; null where you have not signed in.")]
    created_at: Moment
    links: PolicyLinks


class UnreadPolicyJson(TypedDict):
    """A policy that this Berth cannot read. While it is on, nothing is deleted in its registry. It can be removed."""

    name: str
    registry: str
    is_on: bool
    problem: Annotated[str, Field(description="Why it cannot be read.")]
    position: int
    who: str | None
    created_at: Moment
    links: PolicyLinks


class RetentionRunLinks(TypedDict):
    self: Url
    repositories: Annotated[Url, Field(description="What becomes of each repository, and why tags stay.")]
    tags: Annotated[Url, Field(description="The tags that go.")]
    kept: Annotated[Url, Field(description="The tags that stay in one `repository`.")]
    job: Annotated[Url | None, Field(description="The job that carries it out, or did last.")]
    carry_on: Annotated[Url, Field(description="POST here to carry out what is planned, or the rest of it.")]
    stop: Annotated[Url, Field(description="POST here to stop it.")]
    page: Annotated[str, Field(description="The page for people.")]


class RetentionRunJson(TypedDict):
    id: int
    registry: Annotated[str, Field(examples=["local"])]
    policies: Annotated[list[str], Field(description="Those that it is about; none: all that were on.")]
    state: Annotated[str, Field(description="new, planned, under-way, waiting, asking, done or broken-off.")]
    repositories: Annotated[int, Field(description="That were judged.")]
    left_out: Annotated[int, Field(description="Repositories that could not be; each says why.")]
    kept: Annotated[int, Field(description="Tags.")]
    doomed: Annotated[int, Field(description="Tags.")]
    frees: Annotated[Bytes, Field(description="Bytes of blobs that nothing else uses, once they are swept.")]
    frees_is_exact: Annotated[bool, Field(description="Else it is at most that.")]
    message: Annotated[str | None, Field(description="How it ended, in a sentence.")]
    who: Annotated[
        str | None, Field(description="Who asked for it; null: its schedule, a command, or you have not signed in.")
    ]
    created_at: Moment
    planned_at: Moment | None
    began_at: Moment | None
    ended_at: Moment | None
    resumes_at: Annotated[Moment | None, Field(description="While it waits for its hours.")]
    links: RetentionRunLinks


class RetentionBegunJson(TypedDict):
    """A run, and the job that carries it out: ask for either again to watch it."""

    run: RetentionRunJson
    job: JobJson


class KeptReason(TypedDict):
    sentence: Annotated[str, Field(examples=["among the newest 10 of main-*"])]
    tags: Annotated[int, Field(description="How many stay for it.")]


class RunRepositoryJson(TypedDict):
    repository: str
    policy: Annotated[str, Field(description="That decided.")]
    state: Annotated[str, Field(description="planned, left-out, done or failed.")]
    kept: int
    doomed: int
    frees: Annotated[Bytes, Field(description="Of blobs that no other repository uses.")]
    needs_yes: Annotated[bool, Field(description="More than a fifth of its tags goes, or all: a person has to agree.")]
    note: Annotated[str | None, Field(description="Why it was left out, or failed.")]
    kept_because: list[KeptReason]


class RunTagJson(TypedDict):
    """A tag that goes, or was to."""

    repository: str
    tag: str
    digest: Annotated[DigestText | None, Field(description="Where it pointed when this was planned.")]
    state: Annotated[str, Field(description="planned, begun, done (deleted), skipped (left alone) or failed.")]
    sentence: Annotated[str, Field(description="Why it goes, or what became of it.")]
    plan: Annotated[Url | None, Field(description="The plan that deletes it, by which that can be undone.")]


class KeptJson(TypedDict):
    tag: str
    why: Annotated[str, Field(examples=["newest-version"])]
    sentence: Annotated[str, Field(examples=["alias of 1.4.2"])]


def policy_json(request: HttpRequest, policy: Policy) -> PolicyJson | UnreadPolicyJson:
    origin = origin_of(request)
    links: PolicyLinks = {
        "self": f"{origin}{reverse('api-retention-policy', args=[policy.name])}",
        "runs": f"{origin}{reverse('api-retention-runs')}?registry={policy.registry.name}",
        "page": f"{origin}{policy.get_absolute_url()}",
    }
    who = (policy.created_by or None) if request.user.is_authenticated else None
    try:
        said = policy.read().written()
    except InvalidTerms:
        return {
            "name": policy.name,
            "registry": policy.registry.name,
            "is_on": policy.is_on,
            "problem": UNREADABLE,
            "position": policy.position,
            "who": who,
            "created_at": stamp(policy.created_at),
            "links": links,
        }
    return {
        "name": policy.name,
        "registry": policy.registry.name,
        "is_on": policy.is_on,
        "repositories": said["repositories"],
        "rules": said["rules"],
        "aliases": said["aliases"],
        "may_empty": said["may_empty"],
        "uses_created": said["uses_created"],
        "schedule": said["schedule"],
        "position": policy.position,
        "next_at": moment(policy.next_at),
        "who": who,
        "created_at": stamp(policy.created_at),
        "links": links,
    }


def run_json(request: HttpRequest, run: RetentionRun, names: Mapping[int, str]) -> RetentionRunJson:
    """`names` are those of policies, by their keys; of one that is gone there is none."""
    origin = origin_of(request)
    here = f"{origin}{reverse('api-retention-run', args=[run.pk])}"
    return {
        "id": run.pk,
        "registry": run.registry.name,
        "policies": [names[key] for key in run.policies if key in names],
        "state": run.state,
        "repositories": run.repositories,
        "left_out": run.left_out,
        "kept": run.kept,
        "doomed": run.doomed,
        "frees": run.frees,
        "frees_is_exact": run.frees_is_exact,
        "message": run.message or None,
        "who": (run.actor or None) if request.user.is_authenticated else None,
        "created_at": stamp(run.created_at),
        "planned_at": moment(run.planned_at),
        "began_at": moment(run.began_at),
        "ended_at": moment(run.ended_at),
        "resumes_at": moment(run.resumes_at),
        "links": {
            "self": here,
            "repositories": f"{here}/repositories",
            "tags": f"{here}/tags",
            "kept": f"{here}/kept",
            "job": f"{origin}{reverse('api-job', args=[run.job_id])}" if run.job_id else None,
            "carry_on": f"{here}/carry-on",
            "stop": f"{here}/stop",
            "page": f"{origin}{run.get_absolute_url()}",
        },
    }


def begun_json(request: HttpRequest, run: RetentionRun, names: Mapping[int, str]) -> RetentionBegunJson:
    assert run.job is not None  # noqa: S101  it was just given one
    return {"run": run_json(request, run, names), "job": job_json(request, run.job)}


def repository_json(place: RunRepository, rules: Mapping[str, Sequence[Rule]]) -> RunRepositoryJson:
    return {
        "repository": place.name,
        "policy": place.policy,
        "state": place.state,
        "kept": place.kept,
        "doomed": place.doomed,
        "frees": place.frees,
        "needs_yes": place.needs_yes,
        "note": place.note or None,
        "kept_because": [{"sentence": sentence, "tags": len(tags)} for sentence, tags in reasons_of(place, rules)],
    }


def tag_json(request: HttpRequest, tag: RunTag, rules: Mapping[str, Sequence[Rule]]) -> RunTagJson:
    plan = f"{origin_of(request)}{reverse('api-plan', args=[tag.plan_id])}" if tag.plan_id else None
    return {
        "repository": tag.place.name,
        "tag": tag.tag,
        "digest": tag.digest or None,
        "state": tag.state,
        "sentence": sentence_of(tag, rules),
        "plan": plan,
    }


def names_of(runs: Iterable[RetentionRun]) -> dict[int, str]:
    """Of the policies that these are about, by their keys."""
    wanted = {key for run in runs for key in run.policies}
    return dict(Policy.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def place_of(field: str) -> str:
    """Where in a document the part is that `InvalidTerms` names: `rules[0].newest` is `rules.0.newest`."""
    return _INDEX.sub(r".\1", field)


def read_terms(order: RetentionTerms) -> ReadTerms:
    """Raises InvalidTerms."""
    return ReadTerms.read(order.terms())
