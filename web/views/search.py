"""The search: a page of its own, and what the field in the head of every page shows while one types."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.guards import readers_only
from catalog.searching import finding
from catalog.searching.query import LONGEST, Query
from catalog.searching.tag_search import TagSearch
from registries.models import Registry
from web.htmx import render_page, wants_part
from web.search_page import HINTS, PartOfReference, explained
from web.typed import chosen, typed

_SECTIONS: Final = ("tags", "images")
_FEW: Final = 5  # of each, while one types
_SOME: Final = 10  # of each, on the page of all
_MANY: Final = 50


@require_safe
@readers_only
def page(request: HttpRequest) -> HttpResponse:
    query, section = Query.parse(typed(request, "q", longest=LONGEST)), chosen(request, "in", _SECTIONS)
    is_palette = wants_part(request)
    most = _FEW if is_palette else _MANY if section else _SOME
    context = {"query": query, "section": section, "is_palette": is_palette, "hints": HINTS}
    if not query.is_empty:
        registries = list(Registry.objects.active().by_name())
        context |= _found(query, registries, section, most, request.GET.get("page"))
        context["several"] = len(registries) > 1
    return render_page(request, "search/page.html", context, part="search/results.html")


def _found(query: Query, registries: list[Registry], section: str, most: int, token: str | None) -> dict[str, Any]:
    """Of the section that was asked for much, of all together a little; one row more says that there are more."""
    of_tags, found = TagSearch(query, registries), dict[str, Any]()
    if section in {"", "images"}:
        images = finding.images(query, registries, most + 1)
        found |= {"images": images[:most], "more_images": len(images) > most}
    if section == "tags":
        return found | {"tags": of_tags.page(token, most), "wants_more": of_tags.wants_more}
    if section == "":
        rows = finding.repositories(query, registries, most + 1)
        tags = of_tags.best(most + 1)
        found |= {"repositories": rows[:most], "more_repositories": len(rows) > most}
        found |= {"tags": tags[:most], "more_tags": len(tags) > most, "wants_more": of_tags.wants_more}
        found |= {"parts": _parts(query), "here": explained(query, registries)}
    return found


def _parts(query: Query) -> list[PartOfReference]:
    return [PartOfReference(part) for part in query.pasted.parts] if query.pasted else []
