"""What is in use: who says so, which digests, and letting go of them."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from access.guards import readers_only, staff_only
from catalog.reads.keyset import Column, Order, paged
from cleanup import pins
from cleanup.models import PinHolder
from cleanup.models.pins import PinHolderQuerySet
from tagging.permission import NotPermitted
from web.acting import asked_by
from web.cleanup.pins_page import Commands, rows_of
from web.finding import find_holder
from web.sentences import said
from web.typed import typed

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
PIN_COLUMNS: Final = {"ends": Column("until", datetime)}


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    page = paged(PinHolder.objects.all(), Order.parse(None, COLUMNS), request.GET.get("page"), whole=_with_figures)
    commands = Commands.of(_origin(request), request.user.get_username(), typed(request, "holder"))
    return render(request, "cleanup/pins/list.html", {"page": page, "commands": commands})


@require_safe
@readers_only
def page(request: HttpRequest, holder: str) -> HttpResponse:
    row = find_holder(request, holder)
    held = row.pins.filter(until__gt=timezone.now())
    found = paged(held, Order.parse(None, PIN_COLUMNS), request.GET.get("page"))
    return render(request, "cleanup/pins/holder.html", {"holder": row, "page": found, "rows": rows_of(found.rows)})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def forget(request: HttpRequest, holder: str) -> HttpResponse:
    """Let go of all of it, after a yes."""
    row = find_holder(request, holder)
    if request.method != "POST":
        return render(request, "cleanup/pins/forget.html", {"holder": row})
    try:
        pins.forget(row, asked_by(request).person)
    except NotPermitted as reason:
        messages.error(request, said(str(reason)))
        return redirect(row)
    messages.success(request, gettext("What %(name)s had in use is pinned no longer.") % {"name": row.name})
    return redirect("cleanup-pins")


def _with_figures(holders: PinHolderQuerySet) -> PinHolderQuerySet:
    return holders.with_figures(timezone.now())


def _origin(request: HttpRequest) -> str:
    """As whoever reads the page reached Berth: with the public scheme where that name was asked for."""
    public, host = urlsplit(settings.PUBLIC_URL), request.get_host()
    return f"{public.scheme if host == public.netloc else request.scheme}://{host}"
