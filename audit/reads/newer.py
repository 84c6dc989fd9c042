"""What has come since a page was made; one query, since every open page asks it again and again."""

from __future__ import annotations

from typing import Final

from django.db.models import F, QuerySet, Subquery

from audit.models import Entry
from audit.reads.filters import EntryFilter
from audit.reads.ways import FEW

MOST: Final = 99  # that are counted


def newer_than(asked: EntryFilter, entry_id: int) -> int:
    """How many entries that fit are newer, one more than `MOST` at most. Of very many the newest are looked at."""
    top = Entry.objects.order_by("-pk").values(floor=F("pk") - FEW)[:1]
    rows: QuerySet[Entry] = Entry.objects.filter(pk__gt=entry_id, pk__gte=Subquery(top))
    for condition in asked.conditions():
        rows = condition.beside(rows)
    return rows.order_by("-pk")[: MOST + 1].count()
