"""When a kind of cleanup is due by itself: one form a registry."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from access.guards import staff_only
from cleanup import timetables
from cleanup.models import Timetable
from jobs.schedule import When
from registries.models import Registry
from tagging.permission import NotPermitted
from web.acting import asked_by
from web.cleanup.timetable_form import TimetableForm
from web.sentences import said

page_or_form = require_http_methods(["GET", "HEAD", "POST"])


@page_or_form
@staff_only
def page(request: HttpRequest, registry: str, *, work: Timetable.Work, back: str) -> HttpResponse:
    """`back`: the name of the page that it belongs to."""
    row = get_object_or_404(Registry.objects.active(), name=registry)
    timetable = Timetable.objects.filter(registry=row, work=work).first()
    form = TimetableForm(request.POST if request.method == "POST" else None, work=work, row=timetable)
    if form.is_valid() and _is_saved(request, form, row, work):
        return redirect(back)
    context = {"form": form, "registry": row, "work": work, "back": back}
    return render(request, "cleanup/timetable.html", context, status=422 if form.errors else 200)


def _is_saved(request: HttpRequest, form: TimetableForm, registry: Registry, work: Timetable.Work) -> bool:
    schedule, person = form.schedule(), asked_by(request).person
    try:
        timetables.save(registry, work, schedule, person, grace_hours=form.cleaned_data.get("grace_hours"))
    except NotPermitted as reason:
        form.add_error(None, said(str(reason)))
        return False
    if schedule.when is When.BY_HAND:
        messages.success(request, gettext("It runs only when somebody says so now."))
    else:
        messages.success(request, gettext("Its schedule is saved."))
    return True
