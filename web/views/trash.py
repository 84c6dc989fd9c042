"""The trash: what was deleted and can still come back."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, staff_only
from oci.client import RegistryClient
from tagging.checking import check, let_go
from tagging.models import TrashEntry
from tagging.permission import check_may_administer
from tagging.planning_restores import plan_restore
from web.acting import asked_by, back, done_at_once
from web.asking import ask
from web.finding import find_trash
from web.trash_page import trash_page
from web.typed import keys

_PATIENCE: Final = 5.0  # seconds for each blob that is looked at
_ADDRESS: Final = "trash"
_MOST: Final = 1_000  # entries of one request


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    return render(request, "trash/list.html", trash_page(request))


@require_POST
@staff_only
def restore(request: HttpRequest) -> HttpResponse:
    """Those that are chosen, of one registry; with `replace` also over tags that point elsewhere by now."""
    entries, otherwise = _chosen(request), back(request, _ADDRESS)
    registries = {entry.registry for entry in entries}
    if len(registries) != 1:
        messages.warning(request, _why_none(len(registries)))
        return redirect(otherwise)
    (registry,) = registries
    replace, reverts = "replace" in request.POST, "revert" in request.POST
    return done_at_once(
        request,
        lambda: plan_restore(registry, entries, asked_by(request), replace=replace, reverts=reverts),
        otherwise,
    )


@require_POST
@staff_only
def remove(request: HttpRequest) -> HttpResponse:
    """For good: nothing brings them back then."""
    entries, person = _chosen(request), asked_by(request).person
    check_may_administer(person)
    if entries:
        let_go(entries, timezone.now(), str(person), person.pk)
        sentence = ngettext("%(n)s entry is gone for good.", "%(n)s entries are gone for good.", len(entries))
        messages.success(request, sentence % {"n": len(entries)})
    else:
        messages.warning(request, _why_none(0))
    return redirect(back(request, _ADDRESS))


@require_POST
@staff_only
def look(request: HttpRequest) -> HttpResponse:
    """Look now whether those that are chosen could be restored."""
    by_registry: dict[int, list[TrashEntry]] = {}
    checked = 0
    for entry in _chosen(request):
        by_registry.setdefault(entry.registry_id, []).append(entry)
    for entries in by_registry.values():
        registry = entries[0].registry

        def question(client: RegistryClient, entries: list[TrashEntry] = entries) -> bool:
            check(entries[0].registry, client, entries, timezone.now())
            return True

        done, problem = ask(registry, question, _PATIENCE)
        checked += len(entries) if done else 0
        if problem:
            sentence = gettext("%(name)s could not be asked: %(why)s")
            messages.warning(request, sentence % {"name": registry.name, "why": problem})
    if checked:
        sentence = ngettext("%(n)s entry was checked.", "%(n)s entries were checked.", checked)
        messages.success(request, sentence % {"n": checked})
    elif not by_registry:
        messages.warning(request, _why_none(0))
    return redirect(back(request, _ADDRESS))


def _chosen(request: HttpRequest) -> list[TrashEntry]:
    return list(find_trash(request).with_places().filter(pk__in=keys(request.POST.getlist("entry"))[:_MOST]))


def _why_none(registries: int) -> str:
    if registries:
        return gettext("Restore what is of one registry at a time. Nothing was changed.")
    return gettext("Nothing was chosen that is still in the trash. Nothing was changed.")
