"""What has come since a page was made; one query, since every open page asks it again and again."""

from __future__ import annotations

from typing import Final

from django.db.models import F, QuerySet, Subquery, Value
from django.db.models.functions import Greatest

from audit.models import Entry
from audit.reads.filters import EntryFilter
from audit.reads.ways import FEW

MOST: Final = 99  # that are counted


def newer_than(asked: EntryFilter, entry_id: int) -> int:
    """How many entries that fit are newer, one more than `MOST` at most. Of very many the newest are looked at."""
    floor = Entry.objects.order_by("-pk").values(floor=F("pk") - FEW)[:1]
    # One bound: of two a database may begin at the one that is farther.
    rows: QuerySet[Entry] = Entry.objects.filter(pk__gt=Greatest(Value(entry_id), Subquery(floor)))
    for condition in asked.conditions():
        rows = condition.beside(rows)
    return rows.order_by("-pk")[: MOST + 1].count()
