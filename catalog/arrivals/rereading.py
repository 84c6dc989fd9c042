"""What could not be read when it was told, read later: a registry may be away, and the scan comes only now and then."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from catalog.arrivals.reading import Found, wanted_of
from catalog.models import Unread
from jobs.running import LeaseLost
from oci.names import parse_repository, parse_tag
from registries.models import Registry

if TYPE_CHECKING:
    from catalog.arrivals.handling import Handling

_SOON: Final = timedelta(seconds=5)
_LATE: Final = timedelta(minutes=10)
_MOST_TRIES: Final = 30  # then it is left to the next scan
_TOGETHER: Final = 100

log = logging.getLogger(__name__)


def note(registry: Registry, found: Found, now: datetime) -> None:
    """Remember what was not read; inside the caller's transaction."""
    parts = [*((tag, "") for tag in found.unread.tags), *(("", digest) for digest in found.unread.deleted)]
    Unread.objects.bulk_create(
        [
            Unread(registry=registry, repository=found.name, tag=tag, digest=digest, due_at=now + _SOON)
            for tag, digest in parts
        ],
        ignore_conflicts=True,
    )


def read_due(handling: Handling) -> None:
    """Read what is due again, and write what it is."""
    due = list(Unread.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "id")[:_TOGETHER])
    by_registry: dict[int, list[Unread]] = {}
    for row in due:
        by_registry.setdefault(row.registry_id, []).append(row)
    for registry in Registry.objects.filter(pk__in=by_registry):
        try:
            _read(handling, registry, by_registry[registry.pk])
        except (DatabaseError, InterfaceError, LeaseLost):
            raise
        except Exception:  # or it would end the process again and again, and with it all of Berth
            log.exception("what %s has told could not be read again", registry.name)


def _read(handling: Handling, registry: Registry, rows: list[Unread]) -> None:
    given_up = [row for row in rows if row.tries > _MOST_TRIES]
    rows = [row for row in rows if row.tries <= _MOST_TRIES]
    with handling.lease.writing():
        for row in rows:  # counted before it is read, since it may be what ends us
            pause = min(_LATE, _SOON * 2 ** min(row.tries, 10))
            row.tries, row.due_at = row.tries + 1, timezone.now() + pause
            row.save(update_fields=["tries", "due_at"])
    wanted = wanted_of(
        (parse_repository(row.repository), parse_tag(row.tag) if row.tag else None, row.digest) for row in rows
    )
    founds = handling.read(registry, wanted) if registry.retired_at is None else []
    now = timezone.now()
    still: set[tuple[str, str, str]] = {(found.name, tag, "") for found in founds for tag in found.unread.tags}
    still |= {(found.name, "", digest) for found in founds for digest in found.unread.deleted}
    done = [row for row in rows if (row.repository, row.tag, row.digest) not in still or row.tries > _MOST_TRIES]
    with handling.lease.writing():
        for found in founds:
            handling.writer.write(found, {}, now)
        Unread.objects.filter(pk__in=[row.pk for row in (*given_up, *done)]).delete()
