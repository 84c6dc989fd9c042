"""The verbs of protection: add a rule, remove it, and see what it would match."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.models import Entry
from audit.services import record
from catalog.models import Repository, Tag
from oci.errors import printable
from registries.models import Registry
from registries.patterns import matches
from tagging.models import ProtectionRule
from tagging.permission import check_may_act, check_may_administer

if TYPE_CHECKING:
    from access.models import User

NAMED: Final = 20  # tags that a preview names
_LOOKED_AT: Final = 200_000  # tags that a preview looks at, at most
_TWICE: Final = gettext_noop("There is such a rule already.")
SENTENCES: Final = (_TWICE,)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would match now: `named` are the first of `tags`, as "repository:tag"."""

    tags: int
    repositories: int
    named: tuple[str, ...]
    is_whole: bool  # all tags were looked at


def add(rule: ProtectionRule, person: User) -> ProtectionRule:
    """Raises NotPermitted, and ValidationError for patterns that are none."""
    _check(person, rule.registry)
    rule.created_by, rule.why = str(person), printable(rule.why, len(rule.why))
    rule.full_clean(validate_constraints=False)
    with transaction.atomic():
        if ProtectionRule.objects.filter(
            registry=rule.registry, repositories=rule.repositories, tags=rule.tags
        ).exists():
            raise ValidationError(_TWICE)
        rule.save(force_insert=True)
        record([_entry(rule, person, Entry.Act.PROTECT)])
    return rule


def remove(rule: ProtectionRule, person: User) -> None:
    """Raises NotPermitted."""
    _check(person, rule.registry)
    with transaction.atomic():
        record([_entry(rule, person, Entry.Act.UNPROTECT)])
        rule.delete()


def preview(registry: Registry | None, repositories: str, tags: str) -> Preview:
    """What a rule would match now, of a registry or of all."""
    rows = Repository.objects.live()
    if registry is not None:
        rows = rows.filter(registry=registry)
    places = {pk: name for pk, name in rows.values_list("pk", "name") if matches(repositories, name)}
    named: list[str] = []
    count = looked_at = 0
    within: set[int] = set()
    for pk, name in sorted(places.items(), key=lambda place: place[1]):
        for tag in Tag.objects.live().filter(repository=pk).in_order().values_list("name", flat=True).iterator():
            looked_at += 1
            if matches(tags, tag):
                count += 1
                within.add(pk)
                if len(named) < NAMED:
                    named.append(f"{name}:{tag}")
        if looked_at > _LOOKED_AT:
            return Preview(count, len(within), tuple(named), is_whole=False)
    return Preview(count, len(within), tuple(named), is_whole=True)


def _check(person: User, registry: Registry | None) -> None:
    if registry is None:
        check_may_administer(person)
    else:
        check_may_act(person, registry)


def _entry(rule: ProtectionRule, person: User, act: Entry.Act) -> Entry:
    return Entry(
        key=f"{act}:{secrets.token_hex(16)}",
        at=timezone.now(),
        act=act,
        outcome=Entry.Outcome.DONE,
        actor=str(person),
        actor_id=person.pk,
        registry=rule.registry.name if rule.registry else "",
        registry_id=rule.registry_id,
        why=rule.why,
        detail=str(rule),
    )
