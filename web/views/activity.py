"""Who did what: the record of acts, newest first."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.guards import readers_only
from audit.models import Entry
from catalog.reads.keyset import Column, Order, paged
from tagging.models import TrashEntry
from web.finding import find_entries
from web.typed import typed

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
_FILTERS: Final = ("registry", "repository", "tag", "actor")


@require_safe
@readers_only
def listing(request: HttpRequest) -> HttpResponse:
    filters = {name: text for name in _FILTERS if (text := typed(request, name))}
    if not request.user.is_authenticated:
        filters.pop("actor", None)  # who may only read is not told who works here
    page = paged(find_entries(request).filter(**filters), Order.parse(None, COLUMNS), request.GET.get("page"))
    context = {"page": page, "filters": filters, "kept": _kept(page.rows)}
    return render(request, "activity/list.html", context)


def _kept(entries: list[Entry]) -> dict[str, int]:
    """By the key of a breach, what can be put back; one query, where there are any."""
    breaches: dict[tuple[Any, ...], str] = {
        (e.registry_id, e.repository, e.tag, e.digest_before, e.at): e.key
        for e in entries
        if e.key.startswith("breach:")
    }
    if not breaches:
        return {}
    rows = TrashEntry.objects.listed().filter(how=TrashEntry.How.OUTSIDE, deleted_at__in={at for *_, at in breaches})
    places = rows.values_list("registry", "repository__name", "tag", "digest", "deleted_at", "pk")
    return {breaches[place]: pk for *rest, pk in places if (place := tuple(rest)) in breaches}
