"""What is done to a registry in Berth goes into the audit: which of its fields changed, and never a value."""

from __future__ import annotations

import uuid
from typing import Protocol

from audit.models import Entry
from audit.services import record
from registries.models import Registry


class Person(Protocol):
    """Whoever is signed in; this floor knows no class of theirs."""

    @property
    def pk(self) -> int | None: ...


def note(act: Entry.Act, registry: Registry, by: Person | None = None, *fields: str) -> None:
    """In the caller's transaction. `by` is None where the options of Berth say so, or its command line."""
    record(
        [
            Entry(
                key=f"registry:{uuid.uuid4().hex}",
                act=act,
                outcome=Entry.Outcome.DONE,
                actor=str(by) if by else "",
                actor_id=by.pk if by else None,
                registry=registry.name,
                registry_id=registry.pk,
                detail=", ".join(fields),
            )
        ]
    )
