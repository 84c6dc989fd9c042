"""The registries that are only copied from: keeping one, what still copies from it, and giving it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext_noop

from audit.models import Entry
from registries import services
from registries.details import Details
from registries.models import Registry
from registries.noting import note
from sync.models import Rule, Run
from tagging.permission import check_may_administer

if TYPE_CHECKING:
    from access.models import User

_USED: Final = gettext_noop("Rules copy from it: %(rules)s. Remove them first, or let them copy from elsewhere.")
_COPYING: Final = gettext_noop("A copy from it is under way. Let it end, or stop it.")
_IS_OURS: Final = gettext_noop("It is one of ours, and no source.")
SENTENCES: Final = (_USED, _COPYING, _IS_OURS)

_MOST_NAMED: Final = 5
_AT_WORK: Final = (Run.State.UNDER_WAY, Run.State.WAITING)


class StillUsed(Exception):  # noqa: N818  it says what is in the way
    """A source cannot go; the sentence says what to do."""


def add(details: Details, person: User) -> Registry:
    """The new one, or the one that was given up at that address. Raises NotPermitted and RegistryNotSaved."""
    check_may_administer(person)
    return services.add(replace(details, role=Registry.Role.SOURCE), by=person)


def edit(source: Registry, details: Details, person: User) -> Registry:
    """It as it is now. Raises NotPermitted and RegistryNotSaved."""
    check_may_administer(person)
    return services.edit(source, replace(details, role=Registry.Role.SOURCE), by=person).registry


def rules_from(source: Registry) -> Sequence[Rule]:
    """Those that copy from it, by name."""
    return list(Rule.objects.filter(source=source).by_name())


def check_unused(source: Registry) -> None:
    """Raises StillUsed."""
    if source.role != Registry.Role.SOURCE:
        raise StillUsed(_IS_OURS)
    if rules := [rule.name for rule in rules_from(source)]:
        more = [f"+{len(rules) - _MOST_NAMED}"] if len(rules) > _MOST_NAMED else []
        raise StillUsed(_USED % {"rules": ", ".join([*rules[:_MOST_NAMED], *more])})
    if Run.objects.filter(source=source, state__in=_AT_WORK).exists():
        raise StillUsed(_COPYING)


def remove(source: Registry, person: User) -> None:
    """Forget its credentials and ask it no more; what came from it stays, and so do its runs.

    Raises NotPermitted and StillUsed.
    """
    check_may_administer(person)
    with transaction.atomic():
        source = Registry.objects.select_for_update().get(pk=source.pk)
        check_unused(source)
        if source.retired_at is None:
            services.retire(source, give_up_name=True)
            note(Entry.Act.REGISTRY_REMOVE, source, person)
