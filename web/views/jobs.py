"""The jobs: what runs, what ran, and what waits for an answer."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from access.guards import readers_only, staff_only
from catalog.reads.keyset import Column, Order, paged
from catalog.services import request_scan
from jobs import services
from jobs.models import Job
from registries.models import Registry
from web.finding import find_job
from web.htmx import render_page, wants_part
from web.job_progress import JobProgress

_COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
_STOP_POLLING: Final = 286  # htmx: swap, and ask no more
_PARTS: Final = {"row": "jobs/row_state.html", "strip": "jobs/strip.html"}


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    jobs = Job.objects.for_people().select_related("requested_by")
    page = paged(jobs, Order.parse(None, _COLUMNS), request.GET.get("page"))
    rows = [JobProgress(job) for job in page.rows]
    return render(request, "jobs/list.html", {"page": page, "rows": rows})


@require_safe
@readers_only
def page(request: HttpRequest, job_id: int) -> HttpResponse:
    """The page, and the part of it that polls until the job runs no more."""
    job = find_job(request, job_id)
    part = _PARTS.get(request.GET.get("as", ""), "jobs/live.html")
    response = render_page(request, "jobs/page.html", {"progress": JobProgress(job), "job": job}, part=part)
    if wants_part(request) and not job.is_moving:
        response.status_code = _STOP_POLLING
    return response


@require_POST
@staff_only
def stop(request: HttpRequest, job_id: int) -> HttpResponse:
    job = find_job(request, job_id)
    if not services.stop(job):
        messages.info(request, gettext("The job had already ended."))
    return redirect("job", job.pk)


@require_POST
@staff_only
def again(request: HttpRequest, job_id: int) -> HttpResponse:
    ended = find_job(request, job_id)
    if not JobProgress(ended).can_run_again:
        messages.info(request, gettext("This cannot be run again: its registry is gone or has retired."))
        return redirect("job", ended.pk)
    job, is_new = services.again(ended, requested_by=request.user)  # type: ignore[arg-type]
    if not is_new:
        messages.info(request, gettext("It is already under way: this is that job."))
    return redirect("job", job.pk)


@require_POST
@staff_only
def answer(request: HttpRequest, job_id: int) -> HttpResponse:
    job, said = find_job(request, job_id), request.POST.get("answer")
    if said not in {"yes", "no"}:
        return HttpResponseBadRequest(gettext("The answer is yes or no."))
    if not services.answer(job, yes=said == "yes"):
        messages.info(request, gettext("The job waits for no answer any more."))
    return redirect("job", job.pk)


@require_POST
@staff_only
def scan_now(request: HttpRequest, name: str) -> HttpResponse:
    registry = get_object_or_404(Registry.objects.active(), name=name)
    job, is_new = request_scan(registry, requested_by=request.user, thorough=True)  # type: ignore[arg-type]
    if not is_new:
        messages.info(request, gettext("A scan is already under way: this is it."))
    return redirect("job", job.pk)
