"""The page of the trash: each entry with the state that it is honestly in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from catalog.models import Repository
from catalog.reads.keyset import Column, Order, paged
from tagging.models import TrashEntry
from tagging.models.trash import TrashEntryQuerySet
from web.finding import find_trash
from web.typed import typed

COLUMNS: Final = {"deleted": Column("deleted_at", datetime, largest_first=True)}
_STATE: Final = TrashEntry.State
_TONES: Final = {_STATE.RESTORABLE: "ok", _STATE.AT_RISK: "warn", _STATE.BLOBS_GONE: "danger", _STATE.UNCHECKED: ""}
_MEANINGS: Final = {
    _STATE.UNCHECKED: gettext_lazy("Its manifest is kept. Nobody has looked yet whether its layers are still there."),
    _STATE.RESTORABLE: gettext_lazy("Its manifest is kept, and each of its layers could be read."),
    _STATE.AT_RISK: gettext_lazy(
        "Its layers could be read, but nothing in the registry uses them any more: its next garbage collection takes"
        " them."
    ),
    _STATE.BLOBS_GONE: gettext_lazy(
        "Its manifest is kept, but the registry has swept layers of it. Push those again, then it can be restored."
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    entry: TrashEntry
    is_expired: bool

    @property
    def state(self) -> str:
        return gettext("Expired") if self.is_expired else self.entry.get_state_display()

    @property
    def tone(self) -> str:
        return "" if self.is_expired else _TONES[_STATE(self.entry.state)]

    @property
    def meaning(self) -> str:
        if self.is_expired:
            return gettext("Its time is over: nothing of it is kept.")
        return str(_MEANINGS[_STATE(self.entry.state)])


def trash_page(request: HttpRequest) -> dict[str, Any]:
    """The context of trash/list.html."""
    now, entries = timezone.now(), find_trash(request)
    if registry := typed(request, "registry"):
        entries = entries.in_registry(registry)
    if repository := typed(request, "repository"):
        entries = entries.filter(repository__in=Repository.objects.matching(repository))
    page = paged(entries, Order.parse(None, COLUMNS), request.GET.get("page"), whole=TrashEntryQuerySet.with_places)
    rows = [Row(entry, entry.until <= now) for entry in page.rows]
    return {
        "page": page,
        "rows": rows,
        "states": {row.state: row for row in rows}.values(),
        "days": settings.TRASH_DAYS,
        "registry": registry,
        "repository": repository,
    }
