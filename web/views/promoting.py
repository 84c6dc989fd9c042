"""Copying selected tags to another of our registries."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from access.guards import staff_only
from sync.details import Moved
from sync.promoting import promote as promote_tags
from tagging.permission import NotPermitted
from tagging.planning import NotPlanned
from web.acting import asked_by
from web.finding import find_repository
from web.selected import tags_meant
from web.sentences import said
from web.sync.promote_form import PromoteForm


@require_POST
@staff_only
def promote(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    """First the form, for the tags that the list names; then the run that copies them, or only plans that."""
    row = find_repository(request, registry, repository)
    form = PromoteForm.of(request, row, tags_meant(request, row))
    if not form.tags or form.is_too_much or not form.is_valid():
        context = {"repository": row, "form": form}
        return render(request, "sync/promote.html", context, status=422 if form.is_bound else 200)
    data = form.cleaned_data
    try:
        run, _ = promote_tags(
            row,
            form.names,
            data["registry"],
            form.into,
            asked_by(request).person,
            moved=Moved(data["moved"]),
            only_plan=request.POST["go"] == "plan",
        )
    except (NotPlanned, NotPermitted) as reason:
        messages.warning(request, said(str(reason)))
        return redirect(row)
    return redirect(run)
