"""Rules of regsync and skopeo, taken over in two steps: what would be added is shown, and then added."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from access.guards import staff_only
from sync.importing.taking_over import take_over
from web.acting import asked_by
from web.import_form import ImportForm
from web.import_page import Preview
from web.once import SENT_BEFORE, was_sent

page_or_form = require_http_methods(["GET", "HEAD", "POST"])


@sensitive_post_parameters()
@page_or_form
@staff_only
def page(request: HttpRequest) -> HttpResponse:
    """Between the steps nothing is kept: the form sends the file back, and it is read again."""
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if not form.is_valid() or "back" in request.POST:
        return render(request, "sync/import.html", {"form": form}, status=422 if form.errors else 200)
    if "make" not in request.POST:
        context = {"form": form, "said": form.cleaned_data, "preview": Preview.of(form.coming)}
        return render(request, "sync/import_preview.html", context)
    if was_sent(request):
        messages.info(request, SENT_BEFORE)
        return redirect("sync-import")
    passwords = form.cleaned_data["with_passwords"]
    taken = take_over(form.coming, asked_by(request).person, with_passwords=passwords)
    return render(request, "sync/imported.html", {"taken": taken})
