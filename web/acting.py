"""What the pages that act have in common: who asks, a plan that cannot be made, and carrying one out."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from access.models import User
from oci.errors import printable
from tagging import services
from tagging.models import Plan
from tagging.permission import NotPermitted
from tagging.planning import Asked, NotPlanned
from web.sentences import said

_WHY_LENGTH = 1_000


def asked_by(request: HttpRequest) -> Asked:
    """Whoever was let in by `staff_only`, with the reason that they gave."""
    assert isinstance(request.user, User)  # noqa: S101  the guard has looked
    return Asked(request.user, printable(request.POST.get("why", ""), _WHY_LENGTH))


def to_plan(request: HttpRequest, make: Callable[[], Plan], otherwise: str) -> HttpResponse:
    """To the page of the plan that `make` makes, for the person to say yes; to `otherwise` with the reason why not."""
    plan = _made(request, make)
    return redirect(plan) if plan else redirect(otherwise)


def done_at_once(request: HttpRequest, make: Callable[[], Plan], otherwise: str) -> HttpResponse:
    """The same, of what takes nothing away: it is carried out, and the page of the plan says what came of it."""
    plan = _made(request, make)
    if plan is None:
        return redirect(otherwise)
    carry_out(request, plan)
    return redirect(plan)


def carry_out(request: HttpRequest, plan: Plan) -> None:
    """A small plan is over afterwards, a large one is under way. What is in the way is said on the next page."""
    try:
        services.carry_out(plan, asked_by(request).person)
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))


def _made(request: HttpRequest, make: Callable[[], Plan]) -> Plan | None:
    try:
        return make()
    except (NotPlanned, NotPermitted) as reason:
        messages.warning(request, said(str(reason)))
        return None


def back(request: HttpRequest, otherwise: str) -> str:
    """The page that the form says it was on, if it is one of ours."""
    there = request.POST.get("next", "")
    return there if url_has_allowed_host_and_scheme(there, allowed_hosts=None) else otherwise
