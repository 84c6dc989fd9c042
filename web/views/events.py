"""The events of a registry, for staff: how they stand, what is missing, and what its configuration has to say."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from access.guards import staff_only
from catalog.event_findings import event_findings
from catalog.event_trial import let_tell
from catalog.freshness import freshness
from registries import event_secrets, notifications
from registries.addresses import WrongAddress, normal_address
from registries.environment import events_secret_owner
from registries.findings import Mark
from registries.models import EventSecret, Registry
from web.acting import asked_by
from web.once import SENT_BEFORE, was_sent
from web.sentences import said


@sensitive_variables("secret")
@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, name: str) -> HttpResponse:
    """A POST issues a secret, which this one answer shows."""
    registry = get_object_or_404(Registry.objects.active(), name=name)
    owner, secret = events_secret_owner(registry), ""
    if request.method == "POST" and (why := _why_not(request, owner)):
        messages.error(request, why)
        return redirect("registries-events", name)
    berth, problem = _berth(request)
    if request.method == "POST" and not problem:
        secret = event_secrets.issue(registry, asked_by(request).person)
    fresh = freshness(registry)
    context = {
        "registry": registry,
        "fresh": fresh,
        "findings": event_findings(fresh),
        "owner": owner,
        "secrets": [_Secret(kept, bool(owner) and _is_said(kept)) for kept in fresh.secrets],
        "secret": secret,
        "problem": problem,
        **_set_up(registry, berth, secret),
    }
    return render(request, "registries/events.html", context, status=422 if problem else 200)


@staff_only
@require_POST
def test(request: HttpRequest, name: str) -> HttpResponse:
    registry = get_object_or_404(Registry.objects.active(), name=name)
    found = let_tell(registry)
    why = f" ({said(found.why)[:300]})" if found.why else ""
    tell = messages.success if found.mark == Mark.OK else messages.warning
    tell(request, f"{found.sentence} {found.cure}{why}".strip())
    return redirect("registries-events", name)


@staff_only
@require_POST
def revoke(request: HttpRequest, name: str) -> HttpResponse:
    """Of the only one it is asked first: without it the registry can tell nothing."""
    registry = get_object_or_404(Registry.objects.active(), name=name)
    secret = request.POST.get("secret", "")
    if not request.POST.get("sure") and [str(kept.pk) for kept in event_secrets.live(registry)] == [secret]:
        return render(request, "registries/revoke.html", {"registry": registry, "secret": secret})
    if secret.isdecimal() and event_secrets.revoke(registry, int(secret[:18]), asked_by(request).person):
        messages.success(request, _("The secret is revoked: nobody comes in with it any more."))
    else:
        messages.info(request, _("There is no such secret."))
    return redirect("registries-events", name)


def _why_not(request: HttpRequest, owner: str) -> str:
    """Why no secret is issued; nothing where one may be."""
    if owner:
        return _("%(variable)s says that; change it there.") % {"variable": owner}
    return str(SENT_BEFORE) if was_sent(request) else ""


class _Secret(NamedTuple):
    """`is_said`: the options say it, and would bring it back at the next start."""

    row: EventSecret
    is_said: bool


def _is_said(kept: EventSecret) -> bool:
    return event_secrets.is_kept_as(kept, settings.REGISTRY_EVENTS_SECRET)


def _berth(request: HttpRequest) -> tuple[str, str]:
    """Berth's address as the registry reaches it, and what is wrong with the one that was typed."""
    typed = (request.POST.get("url") or request.GET.get("url") or "")[:500]
    try:
        return normal_address(typed or settings.PUBLIC_URL, plain_http=True), ""
    except WrongAddress as error:
        return settings.PUBLIC_URL, str(error)


def _set_up(registry: Registry, berth: str, secret: str) -> dict[str, Any]:
    """The blocks for both generations, the one that the last test met first."""
    shown = secret or notifications.SECRET
    name = notifications.OWN if registry.embedded else registry.name
    met = registry.capability("generation")
    generations = sorted(notifications.GENERATIONS, key=lambda generation: (generation != met, -generation))
    blocks = [
        (notifications.GENERATIONS[generation], notifications.block(berth, name, shown, generation))
        for generation in generations
    ]
    return {
        "berth": berth,
        "blocks": blocks,
        "variables": notifications.variables(berth, name, shown),
        "remarks": notifications.remarks(berth),
    }
