"""Sealing: entries get links in the chain, a batch at a time, and each batch an anchor.

Which entries are in no batch yet, the database notes itself, in the transaction that adds them (`audit.guard`), so
nothing is looked for: one that is committed late, under a lower id, simply comes later in the chain.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.canonical import COLUMNS, FORM, START, anchor_hash, link_hash
from audit.models import Anchor, Entry, Link, Unsealed

BATCH: Final = 500  # entries: well under 200 ms

log = logging.getLogger(__name__)


def seal(most: int) -> int:
    """Seal what waits, in batches, until about `most` entries are; how many it were.

    Two may do so at once: both give the same positions, so that one of them fails and changes nothing. One that is
    killed has sealed whole batches.
    """
    sealed = 0
    while sealed < most and Unsealed.objects.exists():
        began = time.monotonic()
        try:
            with transaction.atomic():
                anchor = _seal_batch()
        except IntegrityError as error:
            log.warning("a batch of the audit was not sealed; somebody else may just have done it: %s", error)
            break
        if anchor is None:
            break
        log.info("the audit is sealed until %s", anchor)  # elsewhere than in the database, which proves what was before
        sealed += anchor.last - anchor.first + 1
        time.sleep(time.monotonic() - began)  # others write meanwhile
    return sealed


def head() -> Anchor | None:
    """The newest anchor; as text it is what a person should note."""
    return Anchor.objects.order_by("last").last()


def _seal_batch() -> Anchor | None:
    """In the caller's transaction; None where nothing waits."""
    rows = _next_rows()
    if not rows:
        return None
    newest = head()
    position, before = (newest.last, bytes(newest.hash)) if newest else (0, START)
    anchor = Anchor(first=position + 1, last=position + len(rows), form=FORM, sealed_at=timezone.now())
    links = []
    for position, row in enumerate(rows, start=anchor.first):
        before = link_hash(before, FORM, row)
        links.append(Link(position=position, entry_id=row[0], hash=before))
    anchor.hash = anchor_hash(before, anchor)
    Link.objects.bulk_create(links)
    anchor.save()
    Unsealed.objects.filter(pk__in=[row[0] for row in rows]).delete()
    return anchor


def _next_rows() -> list[tuple[Any, ...]]:
    """The first entries that wait, by id.

    What waits and is no entry any more was removed by force before it was sealed: that it waits on says so.
    """
    queue = Unsealed.objects.order_by("pk").values_list("pk", flat=True)
    waiting = list(queue[:BATCH])
    while waiting:
        sealed = list(Link.objects.filter(entry_id__in=waiting).values_list("entry_id", flat=True))
        Unsealed.objects.filter(pk__in=sealed).delete()  # by another process, since we looked
        entries = Entry.objects.filter(pk__in=set(waiting) - set(sealed)).order_by("pk")
        if rows := list(entries.values_list(*COLUMNS[FORM])):
            return rows
        waiting = list(queue.filter(pk__gt=waiting[-1])[:BATCH])
    return []
