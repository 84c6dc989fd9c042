"""The verbs of policies: keep one as a person says it, switch it, put it elsewhere, remove it. Nothing is unchecked."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Entry
from audit.services import record
from cleanup.models import Policy
from cleanup.models.policies import NAME_LENGTH
from cleanup.retention.terms import InvalidTerms, Terms
from registries.models import NAME_PATTERN, Registry
from tagging.permission import check_may_act, check_may_administer

if TYPE_CHECKING:
    from access.models import User

RESERVED_NAMES: Final = frozenset({"add"})  # addresses of other pages
_LONGEST: Final = 60  # characters of a value that the audit tells


def save(  # noqa: PLR0913  each is a part of it
    registry: Registry,
    name: str,
    document: Mapping[str, Any],
    person: User | None,
    *,
    is_on: bool = True,
    policy: Policy | None = None,
) -> Policy:
    """A new policy, behind the others, or `policy` as it is said now; `person` is None on the command line of Berth.

    Raises NotPermitted, and InvalidTerms, whose `field` is "name" where that is what is wrong.
    """
    if person is not None:
        check_may_act(person, registry)
    if not re.fullmatch(NAME_PATTERN, name) or len(name) > NAME_LENGTH or name in RESERVED_NAMES:
        raise InvalidTerms("name", _("A name is made of small letters, digits and single hyphens."))
    terms = Terms.read(document)
    row = policy or Policy(created_by=str(person or ""), position=_behind_all(registry))
    before = {"name": row.name, "is_on": row.is_on, **row.terms} if policy else {}
    row.registry, row.name, row.terms, row.is_on = registry, name, terms.written(), is_on
    row.next_at = terms.schedule.next_after(timezone.now()) if is_on else None
    try:
        with transaction.atomic():
            row.save()
            changed = _changes(before, {"name": name, "is_on": is_on, **row.terms}) if policy else []
            if changed or not policy:
                act = Entry.Act.POLICY_CHANGE if policy else Entry.Act.POLICY_ADD
                record([_entry(row, person, act, ", ".join(changed))])
    except IntegrityError as error:
        raise InvalidTerms("name", _("Another policy has that name.")) from error
    return row


def switch(policy: Policy, person: User | None, *, on: bool) -> None:
    """Off also where it cannot be read. Raises NotPermitted and InvalidTerms."""
    _check(policy, person, administers=not on)
    with transaction.atomic():
        was_on, policy.is_on = policy.is_on, on
        policy.next_at = policy.read().schedule.next_after(timezone.now()) if on else None
        policy.save(update_fields=["is_on", "next_at"])
        if was_on != on:
            told = _changes({"is_on": was_on}, {"is_on": on})
            record([_entry(policy, person, Entry.Act.POLICY_CHANGE, *told)])


def put_in_order(registry: Registry, names: Sequence[str], person: User | None) -> None:
    """Those that are named first, in that order, and then the others as they stood. Raises NotPermitted."""
    if person is not None:
        check_may_act(person, registry)
    with transaction.atomic():
        rows = list(Policy.objects.filter(registry=registry).in_order().select_for_update())
        place = {name: number for number, name in enumerate(names)}
        rows.sort(key=lambda row: place.get(row.name, len(place)))
        for position, row in enumerate(rows, 1):
            if row.position != position:
                told = f"position: {row.position} → {position}"
                row.position = position
                row.save(update_fields=["position"])
                record([_entry(row, person, Entry.Act.POLICY_CHANGE, told)])


def remove(policy: Policy, person: User | None) -> None:
    """Its runs stay; also where its registry was removed from Berth. Raises NotPermitted."""
    _check(policy, person, administers=True)
    with transaction.atomic():
        record([_entry(policy, person, Entry.Act.POLICY_REMOVE)])
        policy.delete()


def _check(policy: Policy, person: User | None, *, administers: bool) -> None:
    if person is not None and administers:
        check_may_administer(person)
    elif person is not None:
        check_may_act(person, policy.registry)


def _behind_all(registry: Registry) -> int:
    last: int | None = Policy.objects.filter(registry=registry).aggregate(last=Max("position"))["last"]
    return (last or 0) + 1


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """As in "may_empty: no → yes"; of what has no short value its name alone."""
    return [
        name if "" in (told := (_told(before.get(name)), _told(value))) else f"{name}: {told[0]} → {told[1]}"
        for name, value in now.items()
        if before.get(name) != value
    ]


def _told(value: object) -> str:
    """Nothing where it has no short value, or would be taken for two."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value
    return text if isinstance(text, str) and len(text) <= _LONGEST and "," not in text else ""


def _entry(policy: Policy, person: User | None, act: Entry.Act, detail: str = "") -> Entry:
    return Entry(
        key=f"policy:{uuid.uuid4().hex}",
        act=act,
        outcome=Entry.Outcome.DONE,
        actor=str(person or ""),
        actor_id=person.pk if person else None,
        registry=policy.registry.name,
        registry_id=policy.registry_id,
        why=policy.name,
        detail=detail,
    )
