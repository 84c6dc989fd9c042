"""Entries of the audit, and a chain of them that somebody may break."""

from __future__ import annotations

from itertools import count
from typing import Any, Final

from django.utils import timezone

from audit.models import Entry
from audit.services import record

_numbers: Final = count(1)


def entry(**fields: Any) -> Entry:
    """One that is recorded, with something in every column."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "key": f"test:{number}",
        "since": timezone.now(),
        "source": Entry.Source.EVENT,
        "act": Entry.Act.PUSH,
        "outcome": Entry.Outcome.DONE,
        "actor": "ana",
        "actor_id": 7,
        "registry": "test",
        "registry_id": 3,
        "repository": "team/app",
        "tag": f"v{number}",
        "digest_before": "sha256:" + "a" * 64,
        "digest_after": "sha256:" + "b" * 64,
        "why": "because, “naturally”",
        "detail": "So it ended.",
        "plan_id": 5,
        "from_repository": "team/base",
        "claimed_at": timezone.now(),
        "address": "192.0.2.1",
        "user_agent": "docker/27",
        "event_id": f"e-{number}",
    }
    row = Entry(**{**values, **fields})
    record([row])
    return Entry.objects.get(key=row.key)


def entries(number: int, **fields: Any) -> list[Entry]:
    return [entry(**fields) for _ in range(number)]
