"""The rules by which tags are protected: neither deleted nor moved through Berth."""

from __future__ import annotations

from typing import Annotated, Final

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import translation
from ninja import Query, Router, Schema
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Listing, Moment, Url, answer, done_answer, list_answer, stamp
from api.door import acts, person_of, reads
from api.links import origin_of
from api.orders import Order
from api.parameters import Paging, Text, page_of
from api.problems import ParameterError, Refusal
from catalog.reads.keyset import Column
from registries.models import Registry, for_asking
from registries.patterns import PATTERN
from tagging import rules
from tagging.models import ProtectionRule

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}

Pattern = Annotated[
    str, Field(pattern=rf"^{PATTERN}$", description="* stands for any number of characters, ? for one.")
]

router = Router(tags=["Protection"])


class RuleLinks(TypedDict):
    self: Annotated[Url, Field(description="DELETE this to protect its tags no longer.")]


class RuleJson(TypedDict):
    """Tags that fit all of its parts are protected."""

    id: int
    registry: Annotated[str | None, Field(description="null: of all registries.", examples=["local"])]
    repositories: Annotated[str, Field(description="A pattern of repositories.", examples=["team/*"])]
    tags: Annotated[str, Field(description="A pattern of tags.", examples=["v*"])]
    why: str | None
    who: Annotated[str | None, Field(description="Who made it; null where you have not signed in.")]
    created_at: Moment
    links: RuleLinks


class PreviewJson(TypedDict):
    tags: Annotated[int, Field(description="How many tags it would protect now.")]
    repositories: Annotated[int, Field(description="In so many repositories.")]
    named: Annotated[list[str], Field(description="The first of them.", examples=[["team/app:1.4.2"]])]
    is_whole: Annotated[bool, Field(description="All tags were looked at; else there may be more.")]


class PreviewQuery(Schema):
    registry: Text = Field("", description="Only of the registry of this name; without it, of all.")
    repositories: Pattern = "*"
    tags: Pattern


class RuleOrder(Order):
    """A rule that is to be."""

    registry: Text | None = Field(default=None, description="Without it: of all registries.", examples=["local"])
    repositories: Pattern = Field("*", examples=["team/*"])
    tags: Pattern = Field(examples=["v*"])
    why: str = Field("", max_length=255)


@reads(router, "/protection-rules", "api-protection-rules", Listing[RuleJson])
def list_rules(request: HttpRequest, query: Query[Paging]) -> HttpResponse:
    """The rules by which tags are protected, the newest first.

    What one of them fits is neither deleted nor moved through Berth.
    """
    page = page_of(
        ProtectionRule.objects.select_related("registry").defer(*for_asking("registry")), COLUMNS, "newest", query
    )
    return list_answer(request, page, [_rule_json(request, rule) for rule in page.rows])


@acts(router, "POST", "/protection-rules", "api-protection-rule-add", {201: RuleJson})
def add_rule(request: HttpRequest, order: RuleOrder) -> HttpResponse:
    """Protect tags.

    See what a rule would protect in its preview.
    """
    registry = _registry(order.registry or "")
    rule = ProtectionRule(registry=registry, repositories=order.repositories, tags=order.tags, why=order.why)
    with translation.override("en"):  # as all that the API says
        try:
            rules.add(rule, person_of(request))
        except ValidationError as error:
            raise Refusal(422, errors=_errors(error)) from error
    rule.refresh_from_db()
    said = _rule_json(request, rule)
    return done_answer(said, 201, location=said["links"]["self"])


@reads(router, "/protection-rules/preview", "api-protection-preview", PreviewJson)
def preview(request: HttpRequest, query: Query[PreviewQuery]) -> HttpResponse:
    """What a rule would protect.

    As the last scans saw the tags.
    """
    found = rules.preview(_registry(query.registry), query.repositories, query.tags)
    said: PreviewJson = {
        "tags": found.tags,
        "repositories": found.repositories,
        "named": list(found.named),
        "is_whole": found.is_whole,
    }
    return answer(request, said)


@reads(router, "/protection-rules/{int:rule_id}", "api-protection-rule", RuleJson)
def read_rule(request: HttpRequest, rule_id: int) -> HttpResponse:
    """One rule.

    By its id.
    """
    return answer(request, _rule_json(request, _rule(rule_id)))


@acts(router, "DELETE", "/protection-rules/{int:rule_id}", "api-protection-rule-remove", {204: None})
def remove_rule(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Remove a rule.

    What only it protects can be deleted and moved from now on.
    """
    rules.remove(_rule(rule_id), person_of(request))
    return HttpResponse(status=204)


def _rule(rule_id: int) -> ProtectionRule:
    return get_object_or_404(ProtectionRule.objects.select_related("registry"), pk=rule_id)


def _registry(name: str) -> Registry | None:
    """None for none; raises Refusal for one that is not there."""
    if not name:
        return None
    registry = Registry.objects.catalogs().filter(name=name).first()
    if registry is None:
        raise Refusal(404, "There is no registry of this name.")
    return registry


def _errors(error: ValidationError) -> list[ParameterError]:
    fields = error.message_dict if hasattr(error, "error_dict") else {"body": error.messages}
    return [
        {"parameter": "body" if name == "__all__" else name, "detail": said}
        for name, sentences in fields.items()
        for said in sentences
    ]


def _rule_json(request: HttpRequest, rule: ProtectionRule) -> RuleJson:
    return {
        "id": rule.pk,
        "registry": rule.registry.name if rule.registry else None,
        "repositories": rule.repositories,
        "tags": rule.tags,
        "why": rule.why or None,
        "who": (rule.created_by or None) if request.user.is_authenticated else None,
        "created_at": stamp(rule.created_at),
        "links": {"self": f"{origin_of(request)}{reverse('api-protection-rule', args=[rule.pk])}"},
    }
