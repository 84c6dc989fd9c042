"""The rules by which images are copied in from other registries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from ninja import Query, Router
from pydantic import Field

from api.answers import Listing, answer, done_answer, list_answer
from api.door import acts, person_of, reads
from api.orders import Order
from api.parameters import Paging, Text, page_of
from api.problems import Refusal
from api.sync_runs import run_of
from api.sync_shapes import (
    BOTH,
    UNREADABLE,
    RuleJson,
    RunBegunJson,
    UnreadRuleJson,
    any_rule_json,
    begun_json,
    rule_json,
)
from catalog.reads.keyset import Column
from sync import rules, services
from sync.models import Rule
from sync.rule_documents import RuleDocument, place_of
from sync.terms import InvalidTerms

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}

router = Router(tags=["Sync"])


class RunOrder(Order):
    only_plan: bool = Field(default=False, description="Say what it would do, and change nothing.")
    deep: bool = Field(default=False, description="Read what is at the target already, each byte of it.")


@reads(router, "/sync/rules", "api-sync-rules", Listing[RuleJson | UnreadRuleJson])
def list_rules(request: HttpRequest, query: Query[Paging]) -> HttpResponse:
    """The rules by which images are copied in, the newest first.

    What of a source stands in one of our registries, and when that is looked after.
    """
    page = page_of(Rule.objects.select_related("source", "target").defer(*BOTH), COLUMNS, "newest", query)
    return list_answer(request, page, [any_rule_json(request, rule) for rule in page.rows])


@acts(router, "POST", "/sync/rules", "api-sync-rule-add", {201: RuleJson})
def add_rule(request: HttpRequest, order: RuleDocument) -> HttpResponse:
    """Add a rule.

    Nothing is copied by that alone: have it planned first, and read the plan.
    """
    with _said_in_english():
        rule = rules.save(order.details(), person_of(request))
    said = rule_json(request, _rule(rule.name))
    return done_answer(said, 201, location=said["links"]["self"])


@reads(router, "/sync/rules/{name}", "api-sync-rule", RuleJson | UnreadRuleJson)
def read_rule(request: HttpRequest, name: Text) -> HttpResponse:
    """One rule.

    By its name.
    """
    return answer(request, any_rule_json(request, _rule(name)))


@acts(router, "PUT", "/sync/rules/{name}", "api-sync-rule-change", {200: RuleJson})
def change_rule(request: HttpRequest, name: Text, order: RuleDocument) -> HttpResponse:
    """Change a rule: all of it.

    What is left out is as if it had never been said. It may get another name by that. A run that is under way goes on
    as it was planned. One that cannot be read is not changed.
    """
    with _said_in_english():
        rule = rules.save(order.details(), person_of(request), _rule(name))
    said = rule_json(request, _rule(rule.name))
    return done_answer(said, location=said["links"]["self"])


@acts(router, "DELETE", "/sync/rules/{name}", "api-sync-rule-remove", {204: None})
def remove_rule(request: HttpRequest, name: Text) -> HttpResponse:
    """Remove a rule.

    What it has copied stays, and so do its runs.
    """
    rules.remove(_rule(name), person_of(request))
    return HttpResponse(status=204)


@acts(router, "POST", "/sync/rules/{name}/runs", "api-sync-rule-run", {202: RunBegunJson})
def run_rule(request: HttpRequest, name: Text, order: RunOrder) -> HttpResponse:
    """Have a rule carried out, or only planned.

    A worker does it: ask for the run or the job again to watch it. Of one rule two runs are never under way: where one
    is, this answers with that.
    """
    with _said_in_english():
        run, _ = services.begin(_rule(name), person_of(request), only_plan=order.only_plan, is_deep=order.deep)
    said = begun_json(request, run_of(run.pk))
    return done_answer(said, 202, location=said["run"]["links"]["self"])


def _rule(name: str) -> Rule:
    return get_object_or_404(Rule.objects.select_related("source", "target"), name=name)


@contextmanager
def _said_in_english() -> Iterator[None]:
    """As all that the API says. Raises Refusal."""
    with translation.override("en"):
        try:
            yield
        except rules.RuleNotSaved as error:
            raise Refusal.of(place_of(error.field), str(error)) from error
        except InvalidTerms as error:
            raise Refusal(409, f"{UNREADABLE} Nothing was changed.") from error
