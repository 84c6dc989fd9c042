"""The policies of retention: their order, what each says, the form to set one up, and why a tag stays or goes."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog.models import Repository
from catalog.reads.keyset import Column, Order, paged
from cleanup.models import Policy, RetentionRun
from cleanup.retention import policies
from cleanup.retention.terms import InvalidTerms
from registries.models import Registry
from tagging.permission import NotPermitted
from web.acting import asked_by
from web.cleanup.policy_form import PolicyForm
from web.cleanup.policy_row import PolicyRow, with_registry
from web.cleanup.presets import PRESETS, preset_of
from web.cleanup.retention_run_row import RunRow, with_registry_and_job
from web.cleanup.trial import Trial, trial_in, trial_of_form
from web.context import active_registries
from web.finding import find_policy
from web.htmx import render_page
from web.sentences import said
from web.typed import keys, typed

COLUMNS: Final = {"order": Column("position", int)}
_RUNS: Final = 8  # on the page of a policy
page_or_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    """Of one registry: an order is that of its own."""
    active, name = active_registries(request), typed(request, "registry")
    here = next((row for row in active if row.name == name), active[0] if active else None)
    rows = Policy.objects.filter(registry=here) if here else Policy.objects.none()
    page = paged(rows, Order.parse(None, COLUMNS), request.GET.get("page"), whole=with_registry)
    shown = [PolicyRow.of(policy) for policy in page.rows]
    context = {"page": page, "rows": shown, "here": here, "presets": PRESETS}
    return render(request, "cleanup/policies.html", context)


@require_safe
@readers_only
def page(request: HttpRequest, policy: str) -> HttpResponse:
    row = find_policy(request, policy)
    about_it = RetentionRun.objects.filter(registry=row.registry_id).newest_first()
    runs = [
        RunRow(run) for run in with_registry_and_job(about_it)[:_RUNS] if row.pk in run.policies or not run.policies
    ]
    document = json.dumps(row.terms, indent=2, ensure_ascii=False)
    context = {"row": PolicyRow.of(row), "policy": row, "runs": runs, "document": document}
    return render(request, "cleanup/policy.html", context)


@page_or_form
@staff_only
def add(request: HttpRequest) -> HttpResponse:
    preset = preset_of(typed(request, "preset"))
    form = PolicyForm(_said(request), preset=preset)
    if request.method != "POST" and (name := typed(request, "registry")):
        form.initial["registry"] = name
    return _form_or_saved(request, form, "cleanup/policy_add.html", {"preset": preset, "presets": PRESETS})


@page_or_form
@staff_only
def edit(request: HttpRequest, policy: str) -> HttpResponse:
    row = find_policy(request, policy)
    try:
        form = PolicyForm(_said(request), policy=row)
    except InvalidTerms:
        messages.error(request, _("This policy cannot be read: a newer Berth wrote it. Nothing was changed."))
        return redirect(row)
    return _form_or_saved(request, form, "cleanup/policy_edit.html", {}, row)


@page_or_form
@staff_only
def remove(request: HttpRequest, policy: str) -> HttpResponse:
    row = find_policy(request, policy)
    if request.method == "POST":
        try:
            policies.remove(row, asked_by(request).person)
        except NotPermitted as reason:
            messages.error(request, said(str(reason)))
            return redirect(row)
        messages.success(request, _("The policy %(name)s is removed. No tag was touched.") % {"name": policy})
        return redirect("cleanup-policies")
    return render(request, "cleanup/policy_remove.html", {"policy": row})


@require_POST
@staff_only
def switch(request: HttpRequest, policy: str) -> HttpResponse:
    row = find_policy(request, policy)
    try:
        policies.switch(row, asked_by(request).person, on=request.POST.get("on") == "1")
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
    except InvalidTerms:
        messages.error(request, _("This policy cannot be read: a newer Berth wrote it. Nothing was changed."))
    return redirect(row)


@require_POST
@staff_only
def move(request: HttpRequest, policy: str) -> HttpResponse:
    """One place up, or down: the first that fits a repository decides there."""
    row = find_policy(request, policy)
    names = list(Policy.objects.filter(registry=row.registry_id).in_order().values_list("name", flat=True))
    place = names.index(row.name)
    other = place - 1 if request.POST.get("to") == "up" else place + 1
    if 0 <= other < len(names):
        names[place], names[other] = names[other], names[place]
        try:
            policies.put_in_order(row.registry, names, asked_by(request).person)
        except NotPermitted as reason:
            messages.error(request, said(str(reason)))
    return redirect(f"{_listing_of(row.registry)}#{row.name}")


@require_safe
@readers_only
def why(request: HttpRequest) -> HttpResponse:
    """Which policy decides on a repository, and why its tags stay or go."""
    name, tag, by = typed(request, "repository"), typed(request, "tag", longest=128), typed(request, "policy")
    active = active_registries(request)
    registry = next((row for row in active if row.name == typed(request, "registry")), active[0] if active else None)
    policy = find_policy(request, by) if by else None
    registry = policy.registry if policy else registry
    rows = Repository.objects.live().filter(registry=registry, name=name).select_related("registry")
    repository = rows.first() if name and registry else None
    trial = trial_in(repository, tag, policy) if repository else None
    if name and trial is None:
        trial = Trial(problem=_("The catalog knows no such repository."))
    context = {"trial": trial, "registry": registry, "name": name, "tag": tag, "policy": policy}
    return render_page(request, "cleanup/why.html", context, part="cleanup/trial.html")


def _form_or_saved(
    request: HttpRequest, form: PolicyForm, template: str, context: dict[str, Any], policy: Policy | None = None
) -> HttpResponse:
    """To the page of the policy once it is saved; while somebody types, or asks for more rules, nothing is."""
    context = {"form": form, "policy": policy, "has_registry": Registry.objects.active().exists(), **context}
    said_here = request.POST
    if "more" in said_here or "drop" in said_here:
        dropped = keys(said_here.getlist("drop")[:1])
        context["form"] = form.without(dropped[0]) if dropped else form.with_one_more()
        return render_page(request, template, context, part="cleanup/rule_forms.html")
    if "try" in said_here:
        context["trial"] = trial_of_form(form, policy, is_asked=said_here["try"] == "ask")
        return render_page(request, template, context, part="cleanup/trial.html")
    if request.method == "POST" and form.is_valid() and (saved := _saved(request, form, policy)) is not None:
        messages.success(request, _("The policy %(name)s is saved. Plan it to see what would go.") % {"name": saved})
        return redirect(saved)
    response = render(request, template, context)
    response.status_code = 422 if request.method == "POST" else 200
    return response


def _said(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _saved(request: HttpRequest, form: PolicyForm, policy: Policy | None) -> Policy | None:
    """None where something is wrong with it, which the form says then."""
    said_here, person = form.cleaned_data, asked_by(request).person
    try:
        return policies.save(
            said_here["registry"],
            said_here["name"],
            form.document(),
            person,
            is_on=said_here["is_on"],
            policy=policy,
        )
    except InvalidTerms as error:
        form.add_terms_error(error)
    except NotPermitted as reason:
        form.add_error(None, said(str(reason)))
    return None


def _listing_of(registry: Registry) -> str:
    return f"{redirect('cleanup-policies').url}?registry={registry.name}"
