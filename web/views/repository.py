"""One repository: its images, with the tags of each folded into one row."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.guards import readers_only
from catalog.keyset import Column, Order, Page, paged
from catalog.models import Manifest, Presence, Repository, Tag
from catalog.models.repositories import PresenceQuerySet
from catalog.platforms import platforms_of
from web.finding import find_repository
from web.htmx import render_page, wants_part
from web.pull import Command, pull_commands
from web.typed import chosen, typed

COLUMNS: Final = {
    "date": Column("dated", datetime, largest_first=True),
    "tag": Column("lead_key", bytes),
    "size": Column("size", int, largest_first=True),
}
_KINDS: Final = {
    "images": (Manifest.Kind.IMAGE, Manifest.Kind.INDEX, Manifest.Kind.SCHEMA1),
    "charts": (Manifest.Kind.CHART,),
    "others": (
        Manifest.Kind.ARTIFACT,
        Manifest.Kind.MALFORMED,
        Manifest.Kind.SIGNATURE,
        Manifest.Kind.ATTESTATION,
        Manifest.Kind.SBOM,
    ),
}
_ATTACHED: Final = "attached"
_ALIASES: Final = 6  # beside the lead tag; the others are folded
_MOST_TAGS: Final = 40  # of one image, in the fold as well
_MOST_UNREADABLE: Final = 20
_COUNTABLE: Final = 5_000  # images; above it the kinds are shown without their counts


@require_safe
@readers_only
def page(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    row = find_repository(request, registry, repository)
    text, kind = typed(request, "q"), chosen(request, "kind", (*_KINDS, _ATTACHED))
    order = Order.parse(request.GET.get("sort"), COLUMNS)
    wanted = _of_kind(row, kind).with_tag_like(row, text).select_related("manifest")
    found = paged(wanted, order, request.GET.get("page"))
    _add_tags_and_platforms(found)
    context = {"repository": row, "text": text, "kind": kind, "order": order, "page": found}
    if not wants_part(request):
        context |= _surroundings(row)
    return render_page(request, "repository/page.html", context, part="repository/rows.html")


def _of_kind(row: Repository, kind: str) -> PresenceQuerySet:
    """What is attached to images has a list of its own: a person did not give those tags."""
    images = Presence.objects.tagged().filter(repository=row)
    if kind == _ATTACHED:
        return images.attached()
    images = images.for_people()
    return images.filter(manifest__kind__in=_KINDS[kind]) if kind else images


def _add_tags_and_platforms(page: Page[Presence]) -> None:
    """Each row gets `aliases` (shown), `folded` (in the fold), `unseen` (a number) and `platforms`."""
    tags: dict[int | None, list[Tag]] = {}
    for tag in Tag.objects.live().first_of_each(page.rows, _MOST_TAGS):
        tags.setdefault(tag.presence_id, []).append(tag)
    platforms = platforms_of(row.manifest for row in page.rows)
    for row in page.rows:
        mine = tags.get(row.pk, [])
        aliases = [tag.name for tag in mine if tag.name != row.lead_tag]
        row.aliases, row.folded = aliases[:_ALIASES], aliases[_ALIASES:]  # type: ignore[attr-defined]
        row.unseen = max(0, row.tag_count - 1 - len(aliases))  # type: ignore[attr-defined]
        row.platforms = platforms[row.manifest_id]  # type: ignore[attr-defined]


def _surroundings(row: Repository) -> dict[str, Any]:
    unreadable = (
        Tag.objects.live().filter(repository=row).unreadable().in_order() if row.problem_count else Tag.objects.none()
    )
    unreadable_tags = list(unreadable[: _MOST_UNREADABLE + 1])
    return {
        "kinds": _count_kinds(row),
        "unreadable": unreadable_tags[:_MOST_UNREADABLE],
        "command": _pull_newest(row),
        "more_unreadable": len(unreadable_tags) > _MOST_UNREADABLE,
        "search_is_filter": True,
    }


def _pull_newest(row: Repository) -> Command | None:
    if row.newest is None or not row.newest.lead_tag:
        return None
    reference = f"{row.registry.pull_host}/{row.name}:{row.newest.lead_tag}"
    return pull_commands(reference, row.newest.manifest.kind, plain_http=row.registry.plain_http)[0]


def _count_kinds(row: Repository) -> list[tuple[str, int | None]]:
    """The kinds that are here, with how many of each; nothing where the list shows all there is."""
    if row.image_count > _COUNTABLE:
        return [(name, None) for name in (*_KINDS, _ATTACHED)]
    counts = dict(_of_kind(row, "").order_by().values_list("manifest__kind").annotate(Count("id")))
    found = [(name, sum(counts.get(kind, 0) for kind in kinds)) for name, kinds in _KINDS.items()]
    found.append((_ATTACHED, _of_kind(row, _ATTACHED).count()))
    present: list[tuple[str, int | None]] = [(name, count) for name, count in found if count]
    return present if len(present) > 1 or (present and present[0][0] == _ATTACHED) else []
