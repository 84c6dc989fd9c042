"""The rules by which images are copied in: what each says and did, and the pages of staff to set them up."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog.reads.keyset import Column, Order, paged
from registries.models import Registry
from sync import rules, services
from sync.models import Rule, Run, Synced
from sync.terms import InvalidTerms
from tagging.permission import NotPermitted
from web.acting import asked_by
from web.finding import find_rule
from web.htmx import render_page
from web.sentences import said
from web.sync.rule_form import RuleForm
from web.sync.rule_rows import rows_of, rule_row, with_places_and_last
from web.sync.run_row import RunRow, with_places
from web.sync.trial import trial_of
from web.typed import typed

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
_RUNS: Final = 8  # on the page of a rule
page_or_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    text = typed(request, "q")
    found = Rule.objects.filter(name__icontains=text) if text else Rule.objects.all()
    page = paged(found, Order.parse(None, COLUMNS), request.GET.get("page"), whole=with_places_and_last)
    return render(request, "sync/rules.html", {"page": page, "rows": rows_of(page.rows), "text": text})


@require_safe
@readers_only
def page(request: HttpRequest, rule: str) -> HttpResponse:
    row = find_rule(request, rule)
    standing = paged(Synced.objects.filter(rule=row), Order.parse(None, COLUMNS), request.GET.get("page"))
    runs = [RunRow(run) for run in with_places(Run.objects.filter(rule=row)).newest_first()[:_RUNS]]
    context = {"row": rule_row(row), "rule": row, "runs": runs, "page": standing}
    return render(request, "sync/rule.html", context)


@page_or_form
@staff_only
def add(request: HttpRequest) -> HttpResponse:
    form = RuleForm(_said(request))
    if not _is_trial(request) and form.is_valid():
        rule = _saved(request, form)
        if rule is not None:
            messages.success(request, _("%(name)s is added. A preview says what it would do.") % {"name": rule})
            return redirect(rule)
    return _form(request, form, "sync/add.html")


@page_or_form
@staff_only
def edit(request: HttpRequest, rule: str) -> HttpResponse:
    row = find_rule(request, rule)
    try:
        form = RuleForm(_said(request), rule=row)
    except InvalidTerms:
        return _unreadable(request, row)
    if not _is_trial(request) and form.is_valid():
        saved = _saved(request, form, row)
        if saved is not None:
            messages.success(request, _("The rule %(name)s is saved.") % {"name": saved})
            return redirect(saved)
    return _form(request, form, "sync/edit.html", row)


@page_or_form
@staff_only
def remove(request: HttpRequest, rule: str) -> HttpResponse:
    row = find_rule(request, rule)
    if request.method == "POST":
        try:
            rules.remove(row, asked_by(request).person)
        except NotPermitted as reason:
            messages.error(request, said(str(reason)))
            return redirect(row)
        messages.success(request, _("The rule %(name)s is removed. What it copied stays.") % {"name": rule})
        return redirect("sync-rules")
    return render(request, "sync/remove.html", {"rule": row, "copied": Synced.objects.filter(rule=row).count()})


@require_POST
@staff_only
def switch(request: HttpRequest, rule: str) -> HttpResponse:
    row = find_rule(request, rule)
    try:
        rules.switch(row, asked_by(request).person, on=request.POST.get("on") == "1")
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
    except rules.RuleNotSaved as error:
        messages.error(request, str(error))
    except InvalidTerms:
        return _unreadable(request, row)
    return redirect(row)


@require_POST
@staff_only
def begin(request: HttpRequest, rule: str, *, only_plan: bool = False) -> HttpResponse:
    """To the page of the run: a new one, or the one of this rule that is under way."""
    row = find_rule(request, rule)
    try:
        run, _job = services.begin(row, asked_by(request).person, only_plan=only_plan)
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
        return redirect(row)
    except InvalidTerms:
        return _unreadable(request, row)
    return redirect(run)


def _said(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _unreadable(request: HttpRequest, rule: Rule) -> HttpResponse:
    messages.error(request, _("This rule cannot be read: a newer Berth wrote it. Nothing was changed."))
    return redirect(rule)


def _is_trial(request: HttpRequest) -> bool:
    """Somebody is typing, or has asked what it would take: nothing is saved."""
    return "try" in request.POST


def _saved(request: HttpRequest, form: RuleForm, rule: Rule | None = None) -> Rule | None:
    """None where something is wrong with it, which the form says then."""
    try:
        return rules.save(form.details(), asked_by(request).person, rule)
    except rules.RuleNotSaved as error:
        form.add_rule_error(error.field, str(error))
    except NotPermitted as reason:
        form.add_error(None, said(str(reason)))
    return None


def _form(request: HttpRequest, form: RuleForm, template: str, rule: Rule | None = None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "rule": rule, "has_target": Registry.objects.active().exists()}
    if _is_trial(request):
        form.full_clean()
        context["trial"] = trial_of(form, rule, may_ask=request.POST["try"] == "ask")
    response = render_page(request, template, context, part="sync/trial.html")
    response.status_code = 422 if form.errors and not _is_trial(request) else 200
    return response
