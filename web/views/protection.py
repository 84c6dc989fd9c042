"""The rules by which tags are protected."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, staff_only
from registries.models import for_asking
from tagging import rules
from tagging.models import ProtectionRule
from web.acting import asked_by
from web.protection_form import ProtectionForm
from web.sentences import said


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    return _page(request, ProtectionForm())


@require_POST
@staff_only
def add(request: HttpRequest) -> HttpResponse:
    form = ProtectionForm(request.POST)
    if not form.is_valid():
        return _page(request, form, 422)
    try:
        rules.add(form.rule, asked_by(request).person)
    except ValidationError as error:
        form.add_error(None, [said(message) for message in error.messages])
        return _page(request, form, 422)
    messages.success(request, gettext("%(rule)s is protected from now on.") % {"rule": form.rule})
    return redirect("protection")


@require_safe
@readers_only
def preview(request: HttpRequest) -> HttpResponse:
    """What the rule that is being typed would match now."""
    form = ProtectionForm(request.GET)
    found = rules.preview(*form.patterns) if form.is_valid() else None
    return render(request, "protection/preview.html", {"preview": found, "form": form})


@require_POST
@staff_only
def remove(request: HttpRequest, rule_id: int) -> HttpResponse:
    rule = get_object_or_404(ProtectionRule.objects.select_related("registry"), pk=rule_id)
    rules.remove(rule, asked_by(request).person)
    messages.success(request, gettext("%(rule)s is protected no more.") % {"rule": rule})
    return redirect("protection")


def _page(request: HttpRequest, form: ProtectionForm, status: int = 200) -> HttpResponse:
    found = (
        ProtectionRule.objects.select_related("registry")
        .defer(*for_asking("registry"))
        .order_by("registry__name", "repositories", "tags", "pk")
    )
    return render(request, "protection/list.html", {"rules": found, "form": form}, status=status)
