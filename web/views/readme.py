"""The README of a repository and its owner: read by all, written by staff."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from access.guards import readers_only, staff_only
from catalog import card as cards
from catalog.models import Repository
from catalog.reads.introduction import introduction_of
from web.card_form import CardForm
from web.finding import find_repository
from web.htmx import wants_part
from web.prose import Prose
from web.views.repository import gone_from


@require_safe
@readers_only
def page(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    row = find_repository(request, registry, repository)
    card = cards.card_of(row)
    context = {
        "repository": row,
        "card": card,
        "prose": Prose.of(card.readme) if card.readme else None,
        "introduction": None if card.readme else introduction_of(row),
        "gone": gone_from(row),
    }
    return render(request, "repository/readme.html", context)


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    row = find_repository(request, registry, repository)
    if request.method != "POST":
        return _form(request, row, CardForm.of(cards.card_of(row)))
    form, act = CardForm(request.POST), request.POST.get("act", "")
    if act == "preview":
        return _preview(request, row, form)
    return _save(request, row, form, is_delete=act == "delete") if form.is_valid() else _form(request, row, form, 422)


def _preview(request: HttpRequest, row: Repository, form: CardForm) -> HttpResponse:
    """For htmx the preview alone, else the form again with it; nothing is written."""
    preview = Prose.of(form.said.readme) if form.is_valid() else None
    if wants_part(request):
        return render(request, "repository/readme_preview.html", {"preview": preview, "form": form})
    return _form(request, row, form, 200 if preview else 422, preview=preview)


def _save(request: HttpRequest, row: Repository, form: CardForm, *, is_delete: bool) -> HttpResponse:
    said = cards.Said(form.said.owner) if is_delete else form.said
    try:
        card = cards.edit(row, said, began_from=form.began_from, by=str(request.user))
    except cards.EditedMeanwhile as error:
        return _form(request, row, CardForm.of(error.card, form.said), 409, theirs=error.card)
    messages.success(request, _("The README is deleted.") if is_delete else _("Saved."))
    return redirect("readme" if card.readme else "repository", row.registry.name, row.name)


def _form(request: HttpRequest, row: Repository, form: CardForm, status: int = 200, **more: object) -> HttpResponse:
    return render(request, "repository/readme_edit.html", {"repository": row, "form": form, **more}, status=status)
