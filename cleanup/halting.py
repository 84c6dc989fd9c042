"""Whether sweeps of a registry are stopped: a check found broken what was to stay, so nothing more may go."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone

from audit.models import Entry
from audit.services import record
from cleanup.models import Halt
from oci.errors import printable
from tagging.permission import check_may_administer

if TYPE_CHECKING:
    from access.models import User
    from registries.models import Registry

_LONGEST: Final = 1_000  # characters of a reason


def halt(registry: Registry, why: str) -> Halt:
    """Stop all sweeps of `registry` until a person lifts that, and raise the alarm: once for each reason.

    `why` is a sentence for people. May be called in a transaction, of a job too.
    """
    why = printable(why, _LONGEST)
    with transaction.atomic():
        row, _ = Halt.objects.get_or_create(registry=registry, lifted_at=None, defaults={"why": why})
        record([_entry(row, Entry.Act.HALT, why, mark=hashlib.sha256(why.encode()).hexdigest()[:24])])
    return row


def halted(registry: Registry) -> Halt | None:
    """What stops its sweeps now, if anything does: whoever sweeps asks before each step that removes something."""
    return Halt.objects.open().filter(registry=registry).first()


def lift(row: Halt, person: User) -> bool:
    """Let sweeps run again; False where somebody did already. Raises NotPermitted."""
    check_may_administer(person)
    with transaction.atomic():
        lifted = Halt.objects.open().filter(pk=row.pk).update(lifted_at=timezone.now(), lifted_by=str(person))
        if lifted:
            record([_entry(row, Entry.Act.LIFT, row.why, mark="lifted", person=person)])
    return bool(lifted)


def _entry(row: Halt, act: Entry.Act, why: str, *, mark: str, person: User | None = None) -> Entry:
    return Entry(
        key=f"halt:{row.pk}:{mark}",
        act=act,
        outcome=Entry.Outcome.DONE,
        actor=str(person) if person else "",
        actor_id=person.pk if person else None,
        registry=row.registry.name,
        registry_id=row.registry_id,
        why=why,
    )
