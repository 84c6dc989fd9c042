"""Who did what: the record of acts, newest first, what is new in it, and all of it as a file."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from access.guards import readers_only, signed_in_only
from audit.reads.files import MEDIA_TYPES, file_name, lines_of
from audit.reads.newer import MOST, newer_than
from audit.reads.ways import newest
from catalog.reads.entries import entries_of
from web.activity_filter import ActivityFilter
from web.entry_rows import rows_of
from web.finding import check_may_read
from web.htmx import render_page, wants_part
from web.typed import keys

_NOTHING: Final = 204  # htmx: leave all as it is


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    check_may_read(request)
    narrowed, token = ActivityFilter(request), request.GET.get("page")
    top = newest() if not token and narrowed.asked.until is None else None  # before the rows: none is left out
    found = entries_of(narrowed.asked, token)
    context = {"filter": narrowed, "found": found, "page": found.page, "rows": rows_of(found.page.rows), "top": top}
    response = render_page(request, "activity/list.html", context, part="activity/rows.html")
    if wants_part(request):
        response["HX-Replace-Url"] = narrowed.address  # the form's own would name each of its empty fields
    return response


@require_safe
@readers_only
def newer(request: HttpRequest) -> HttpResponse:
    """Asked again and again by a page that is open: how many entries came since it was made, if that changed."""
    check_may_read(request)
    narrowed, (after, known) = ActivityFilter(request, is_for_few=True), _numbers(request)
    count = newer_than(narrowed.asked, after)
    if count in {0, known}:
        return HttpResponse(status=_NOTHING)
    context = {"filter": narrowed, "top": after, "count": min(count, MOST), "is_capped": count > MOST}
    return render(request, "activity/newer.html", context)


def _numbers(request: HttpRequest) -> tuple[int, int]:
    """The newest entry that the page knows, and how many newer ones it says there are."""
    numbers = [(keys([request.GET.get(name, "")]) or [0])[0] for name in ("after", "known")]
    return numbers[0], numbers[1]


@require_safe
@signed_in_only
def download(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """All that the filter leaves, as `form` of `MEDIA_TYPES`."""
    check_may_read(request)
    name = file_name(form, timezone.now())
    headers = {"Content-Type": MEDIA_TYPES[form], "Content-Disposition": f'attachment; filename="{name}"'}
    lines = lines_of(ActivityFilter(request).asked, form) if request.method == "GET" else ()
    return StreamingHttpResponse(lines, headers=headers)
