"""One repository: its images, with the tags of each folded into one row, and the tags that went."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.guards import readers_only
from catalog.models import Presence, Repository, Tag
from catalog.models.presences import PresenceQuerySet
from catalog.reads.chosen import going_tags
from catalog.reads.daily import pull_days_of
from catalog.reads.introduction import introduction_of
from catalog.reads.keyset import CAP, Column, Order, Page, paged
from catalog.reads.narrowing import choices_in
from catalog.reads.platforms import platforms_of
from catalog.reads.timeline import timeline_of
from web.finding import find_repository
from web.htmx import render_page, wants_part
from web.locks import locks_of
from web.narrowing import Menus, narrowing_of
from web.pull_tool import tool_of
from web.sync.origin import origin_of, upstream_of, with_upstream
from web.ways import way_to_newest

COLUMNS: Final = {
    "date": Column("dated", datetime, largest_first=True),
    "tag": Column("lead_key", bytes),
    "size": Column("size", int, largest_first=True),
    "pull": Column("pulled", datetime, largest_first=True),
    "pulls": Column("pulls", int, largest_first=True),
}
_GONE_COLUMNS: Final = {"gone": Column("gone_at", datetime, largest_first=True), "tag": Column("key", bytes)}
_ALIASES: Final = 6  # beside the lead tag; the others are folded
_MOST_TAGS: Final = 40  # of one image, in the fold as well
_MOST_UNREADABLE: Final = 20


@require_safe
@readers_only
def page(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    row = find_repository(request, registry, repository)
    narrowing, order = narrowing_of(request), Order.parse(request.GET.get("sort"), COLUMNS)
    choices = None if wants_part(request) else choices_in(row)
    known = choices.unattached if choices and not narrowing.any else None
    found = paged(
        narrowing.of(row),
        order,
        request.GET.get("page"),
        known=known,
        whole=PresenceQuerySet.with_manifest,
    )
    origin = origin_of(row)
    names = _add_tags_and_platforms(found, row if origin else None)
    has_pulls = _add_pull_days(found, drawn=not narrowing.text) or order.column.field in {"pulled", "pulls"}
    _add_going(found, narrowing.text)
    context = {"repository": row, "narrowing": narrowing, "order": order, "page": found, "has_pulls": has_pulls}
    context["origin"] = origin
    context["protected"] = locks_of(request, row, names)
    if choices:
        around = _surroundings(row, Menus.of(choices, narrowing)) | {"command": way_to_newest(row, tool_of(request))}
        is_listed = bool(found.rows or narrowing.any or around["menus"].kinds or row.gone_at)
        context |= around | {"has_filter": is_listed}
    return render_page(request, "repository/page.html", context, part="repository/rows.html")


@require_safe
@readers_only
def references(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    """The tags of all images that the filter leaves, each as a reference on a line of its own, to be saved."""
    row = find_repository(request, registry, repository)
    images = narrowing_of(request).of(row).order_by()
    names = Tag.objects.live().filter(presence__in=images.values("pk")).in_order().values_list("name", flat=True)
    lines = (f"{row.registry.pull_host}/{row.name}:{name}\n" for name in names)
    headers = {"Content-Disposition": f'attachment; filename="{row.base_name}-tags.txt"'}
    return HttpResponse(lines, content_type="text/plain; charset=utf-8", headers=headers)


@require_safe
@readers_only
def gone_tags(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    """The tags that went, with what they pointed to when they were last seen."""
    row = find_repository(request, registry, repository)
    order = Order.parse(request.GET.get("sort"), _GONE_COLUMNS)
    tags = Tag.objects.gone().filter(repository=row).select_related("presence__manifest")
    context = {"repository": row, "order": order, "page": paged(tags, order, request.GET.get("page"))}
    return render(request, "repository/gone.html", context | {"gone": gone_from(row)})


@require_safe
@readers_only
def timeline(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    row = find_repository(request, registry, repository)
    token = request.GET.get("page")
    context = {"repository": row, "timeline": timeline_of(row, token), "gone": gone_from(row), "is_first": not token}
    return render(request, "repository/timeline.html", context)


def gone_from(row: Repository) -> dict[str, Any]:
    """What the tabs say of the tags that went: `count`, and whether there are more (`is_capped`)."""
    count: int = row.gone_tags  # type: ignore[attr-defined]  # annotated
    return {"count": min(count, CAP), "is_capped": count > CAP}


def _add_tags_and_platforms(page: Page[Presence], synced: Repository | None) -> list[str]:
    """Each row gets `aliases` (shown), `folded` (in the fold), `unseen` (a number), `platforms` and `upstream`.

    The names of all tags that are shown. `synced`: their repository, where images were copied into it.
    """
    tags: dict[int | None, list[Tag]] = {}
    shown = Tag.objects.live().first_of_each(page.rows, _MOST_TAGS)
    for tag in with_upstream(shown, synced) if synced else shown:
        tags.setdefault(tag.presence_id, []).append(tag)
    platforms = platforms_of(row.manifest for row in page.rows)
    for row in page.rows:
        mine = tags.get(row.pk, [])
        aliases = [tag.name for tag in mine if tag.name != row.lead_tag]
        row.aliases, row.folded = aliases[:_ALIASES], aliases[_ALIASES:]  # type: ignore[attr-defined]
        row.unseen = max(0, row.tag_count - 1 - len(aliases))  # type: ignore[attr-defined]
        row.platforms = platforms[row.manifest_id]  # type: ignore[attr-defined]
        row.upstream = upstream_of(mine, row.lead_tag)  # type: ignore[attr-defined]
    return [tag.name for named in tags.values() for tag in named]


def _add_pull_days(page: Page[Presence], *, drawn: bool) -> bool:
    """Each row gets `pulls_by_day`, see `pull_days_of`, where they are `drawn`; whether an event told of a pull of any.

    A search asks for the tags that it found instead.
    """
    days = pull_days_of(page.rows) if drawn else {}
    for row in page.rows:
        row.pulls_by_day = days.get(row.pk, [])  # type: ignore[attr-defined]
    return any(row.pulled_at for row in page.rows)


def _add_going(page: Page[Presence], text: str) -> None:
    """Each row gets `goes`: the tags that are meant when it is selected, where the filter looked for some.

    They are looked for among those that the row has already; only of an image with more tags they are asked for.
    """
    sought = text.strip().lower()
    going = going_tags((row for row in page.rows if row.unseen), text)  # type: ignore[attr-defined]
    for row in page.rows:
        names = [row.lead_tag, *row.aliases, *row.folded] if sought else []  # type: ignore[attr-defined]
        mine = [name for name in names if sought in name.lower()]
        row.goes = going.get(row.pk, mine)  # type: ignore[attr-defined]


def _surroundings(row: Repository, menus: Menus) -> dict[str, Any]:
    unreadable = (
        Tag.objects.live().filter(repository=row).unreadable().in_order() if row.problem_count else Tag.objects.none()
    )
    unreadable_tags = list(unreadable[: _MOST_UNREADABLE + 1])
    return {
        "introduction": None if row.has_readme else introduction_of(row),  # type: ignore[attr-defined]  # annotated
        "menus": menus,
        "can_sort_by_pulls": row.tells_of_pulls,  # type: ignore[attr-defined]  # annotated
        "gone": gone_from(row),
        "unreadable": unreadable_tags[:_MOST_UNREADABLE],
        "more_unreadable": len(unreadable_tags) > _MOST_UNREADABLE,
    }
