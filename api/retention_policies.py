"""Policies of retention: which tags may go, in which order policies are asked, and why a tag stays or goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from ninja import Query, Router
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import DigestText, Listing, answer, done_answer, list_answer
from api.door import acts, person_of, reads
from api.orders import Order
from api.parameters import Paging, RepositoryParameter, TagParameter, Text, page_of
from api.problems import Refusal
from api.retention_shapes import (
    UNREADABLE,
    PolicyJson,
    PolicyOrder,
    RetentionTerms,
    UnreadPolicyJson,
    place_of,
    policy_json,
    read_terms,
)
from catalog.models import Repository
from catalog.reads.keyset import Column
from cleanup.models import Policy
from cleanup.models.policies import PolicyQuerySet
from cleanup.retention import explaining, policies
from cleanup.retention.reasons import Verdict
from cleanup.retention.terms import InvalidTerms
from registries.models import Registry, for_asking

COLUMNS: Final = {"order": Column("position", int)}
MOST: Final = 10_000  # tags of an answer
_MOST_POLICIES: Final = 1_000

router = Router(tags=["Retention"])


class PolicyQuery(Paging):
    registry: Text = Field("", description="Only of the registry of this name.")


class OrderOfPolicies(Order):
    registry: Text = Field(examples=["local"])
    policies: list[Text] = Field(max_length=_MOST_POLICIES, description="Names; those not named come behind.")


class ExplainOrder(Order):
    """By which terms: those that are said, those of a policy, or of the one that decides."""

    registry: Text = Field(examples=["local"])
    repository: RepositoryParameter = Field(examples=["team/app"])
    tags: list[TagParameter] | None = Field(None, min_length=1, max_length=MOST, description="Only these; else all.")
    policy: Text | None = Field(None, description="By this one, as if it decided.")
    terms: RetentionTerms | None = Field(None, description="By these, which nobody has kept.")


class TagVerdict(TypedDict):
    tag: str
    digest: Annotated[DigestText | None, Field(description="null where its manifest cannot be read.")]
    stays: bool
    why: Annotated[list[str], Field(description="A word for each reason, the strongest first.")]
    sentences: Annotated[list[str], Field(examples=[["among the newest 3 versions of 1.2, by the rule on 1.*"]])]


class ExplainedJson(TypedDict):
    policy: Annotated[str | None, Field(description="Whose terms these are; null of what was sent.")]
    decides: Annotated[str | None, Field(description="The policy that decides as things are; null: none, all stays.")]
    why_not: Annotated[str | None, Field(description="Why nothing would be planned in it now.")]
    needs_yes: Annotated[bool, Field(description="So much would go that a person has to agree.")]
    kept: Annotated[int, Field(description="Tags of the repository.")]
    doomed: int
    tags: list[TagVerdict]
    is_cut: Annotated[bool, Field(description=f"There are more than {MOST:,} of them.")]


@reads(router, "/retention/policies", "api-retention-policies", Listing[PolicyJson | UnreadPolicyJson])
def list_policies(request: HttpRequest, query: Query[PolicyQuery]) -> HttpResponse:
    """The policies of retention.

    In the order in which they are asked: of each registry the first that is on and fits a repository decides there.
    """
    rows = _policies()
    if query.registry:
        rows = rows.filter(registry__name=query.registry)
    page = page_of(rows, COLUMNS, "order", query)
    return list_answer(request, page, [policy_json(request, policy) for policy in page.rows])


@acts(router, "POST", "/retention/policies", "api-retention-policy-add", {201: PolicyJson})
def add_policy(request: HttpRequest, order: PolicyOrder) -> HttpResponse:
    """Add a policy, behind the others.

    Nothing is deleted by that alone: have it planned first, and read the plan.
    """
    with _said_in_english():
        row = policies.save(_registry(order.registry), order.name, order.terms(), person_of(request), is_on=order.is_on)
    said = policy_json(request, _policy(row.name))
    return done_answer(said, 201, location=said["links"]["self"])


@reads(router, "/retention/policies/{name}", "api-retention-policy", PolicyJson | UnreadPolicyJson)
def read_policy(request: HttpRequest, name: Text) -> HttpResponse:
    """One policy.

    By its name.
    """
    return answer(request, policy_json(request, _policy(name)))


@acts(router, "PUT", "/retention/policies/{name}", "api-retention-policy-change", {200: PolicyJson})
def change_policy(request: HttpRequest, name: Text, order: PolicyOrder) -> HttpResponse:
    """Change a policy: all of it.

    What is left out is as if it had never been said. It may get another name by that, and keeps its place.
    """
    row = _policy(name)
    with _said_in_english():
        registry, person = _registry(order.registry), person_of(request)
        saved = policies.save(registry, order.name, order.terms(), person, is_on=order.is_on, policy=row)
    said = policy_json(request, _policy(saved.name))
    return done_answer(said, location=said["links"]["self"])


@acts(router, "DELETE", "/retention/policies/{name}", "api-retention-policy-remove", {204: None})
def remove_policy(request: HttpRequest, name: Text) -> HttpResponse:
    """Remove a policy.

    No tag is touched by that, and its runs stay. On its repositories the next that fits decides.
    """
    policies.remove(_policy(name), person_of(request))
    return HttpResponse(status=204)


@acts(router, "POST", "/retention/order", "api-retention-order", {200: Listing[PolicyJson | UnreadPolicyJson]})
def put_in_order(request: HttpRequest, order: OrderOfPolicies) -> HttpResponse:
    """Say in which order the policies of a registry are asked.

    Those that are named first, in that order, and then the others as they stood.
    """
    registry = _registry(order.registry)
    known = set(Policy.objects.filter(registry=registry).values_list("name", flat=True))
    if strange := [name for name in order.policies if name not in known]:
        raise Refusal.of("policies", f"{registry.name} has no policy {strange[0]}")
    policies.put_in_order(registry, order.policies, person_of(request))
    rows = list(_policies().filter(registry=registry).in_order()[:_MOST_POLICIES])
    items = [policy_json(request, policy) for policy in rows]
    beside = {"next": None, "previous": None, "count": len(items), "count_is_capped": False}
    return done_answer({"items": items, **beside})


@acts(router, "POST", "/retention/explain", "api-retention-explain", {200: ExplainedJson})
def explain(request: HttpRequest, order: ExplainOrder) -> HttpResponse:  # noqa: ARG001  as ninja calls it
    """Explain which tags stay or go, and why.

    By the policy that decides, by another, or by terms that nobody has kept yet: just as a run would judge now. Nothing
    is changed.
    """
    if order.policy and order.terms:
        raise Refusal.of("terms", "either policy or terms")
    rows = Repository.objects.live().select_related("registry")
    repository = get_object_or_404(rows, registry__name=order.registry, name=order.repository)
    with _said_in_english():
        found = _tried(repository, order)
    if found is None:
        raise Refusal(404, f"No policy decides on {repository.name}: all its tags stay.")
    wanted = set(order.tags) if order.tags else None
    verdicts = [verdict for verdict in found.verdicts if wanted is None or verdict.tag in wanted]
    said: ExplainedJson = {
        "policy": found.policy or None,
        "decides": found.decides or None,
        "why_not": found.why_not or None,
        "needs_yes": found.needs_yes,
        "kept": len(found.kept),
        "doomed": len(found.doomed),
        "tags": [_verdict(found, verdict) for verdict in sorted(verdicts)[:MOST]],
        "is_cut": len(verdicts) > MOST,
    }
    return done_answer(said)


def _tried(repository: Repository, order: ExplainOrder) -> explaining.Trial | None:
    """Raises InvalidTerms."""
    if order.terms:
        try:
            terms = read_terms(order.terms)
        except InvalidTerms as error:
            raise Refusal.of(f"terms.{place_of(error.field)}", error.sentence) from error
        return explaining.try_out(repository, terms)
    if order.policy:
        policy = get_object_or_404(Policy, registry=repository.registry, name=order.policy)
        return explaining.by_policy(repository, policy)
    return explaining.as_decided(repository)


def _verdict(found: explaining.Trial, verdict: Verdict) -> TagVerdict:
    return {
        "tag": verdict.tag,
        "digest": verdict.digest or None,
        "stays": not verdict.is_doomed,
        "why": [reason.why.value for reason in verdict.reasons],
        "sentences": list(found.sentences(verdict)),
    }


def _policies() -> PolicyQuerySet:
    return Policy.objects.select_related("registry").defer(*for_asking("registry"))


def _policy(name: str) -> Policy:
    return get_object_or_404(_policies(), name=name)


def _registry(name: str) -> Registry:
    registry = Registry.objects.active().filter(name=name).first()
    if registry is None:
        raise Refusal.of("registry", "no registry of ours has this name")
    return registry


@contextmanager
def _said_in_english() -> Iterator[None]:
    """As all that the API says. Raises Refusal."""
    with translation.override("en"):
        try:
            yield
        except InvalidTerms as error:
            if ", " in error.field:  # a policy that is kept, and where in it
                raise Refusal(409, f"{error.field.partition(', ')[0]}: {UNREADABLE}") from error
            raise Refusal.of(place_of(error.field), error.sentence) from error
