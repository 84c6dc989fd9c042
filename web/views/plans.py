"""A plan: looked at, carried out, given up, taken back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, staff_only
from tagging import services
from tagging.models import Plan
from tagging.undoing import plan_undo
from web.acting import asked_by, carry_out, done_at_once
from web.finding import find_plan
from web.plan_page import plan_page


@require_safe
@readers_only
def page(request: HttpRequest, plan_id: int) -> HttpResponse:
    found = plan_page(request, find_plan(request, plan_id))
    return render(request, "plans/page.html", {"plan": found.plan, "about": found})


@require_POST
@staff_only
def carry(request: HttpRequest, plan_id: int) -> HttpResponse:
    plan = find_plan(request, plan_id)
    wanted = plan_page(request, plan).typed_name
    if wanted and request.POST.get("name", "").strip() != wanted:
        messages.error(request, gettext("The name was not typed as it is: nothing was changed."))
        return redirect(plan)
    if plan.state == Plan.State.PLANNED and (why := asked_by(request).why):
        Plan.objects.filter(pk=plan.pk, state=Plan.State.PLANNED).update(why=why)
    carry_out(request, plan)
    return redirect(plan)


@require_POST
@staff_only
def give_up(request: HttpRequest, plan_id: int) -> HttpResponse:
    """A plan that nobody began is gone then."""
    plan = find_plan(request, plan_id)
    if not services.give_up(plan.pk):
        return redirect(plan)
    messages.info(request, gettext("Nothing was changed."))
    return redirect(plan.repository.get_absolute_url() if plan.repository else "repositories")


@require_POST
@staff_only
def undo(request: HttpRequest, plan_id: int) -> HttpResponse:
    plan = find_plan(request, plan_id)
    return done_at_once(request, lambda: plan_undo(plan, asked_by(request)), plan.get_absolute_url())
