"""The verbs of sources: keep a registry that is only copied from, and forget one that no rule names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext_noop

from audit.models import Entry
from registries import services as registries
from registries.details import Details
from registries.models import Registry
from registries.noting import note
from sync.models import Run
from tagging.permission import check_may_administer

if TYPE_CHECKING:
    from access.models import User

_NAMED: Final = gettext_noop("The rule %(name)s copies from it: remove that first.")
_AT_WORK: Final = gettext_noop("A run copies from it just now: stop that first.")
SENTENCES: Final = (_NAMED, _AT_WORK)


class SourceInUse(Exception):  # noqa: N818  it says why it stays
    """The source cannot be forgotten now; the sentence says why."""


def add(details: Details, person: User) -> Registry:
    """The new one, or the one that was forgotten at that address. Raises NotPermitted and RegistryNotSaved."""
    check_may_administer(person)
    return registries.add(replace(details, role=Registry.Role.SOURCE), by=person)


def forget(source: Registry, person: User) -> None:
    """With its credentials and its name; what was copied from it stays, and its runs too.

    Raises NotPermitted and SourceInUse.
    """
    check_may_administer(person)
    with transaction.atomic():
        row = Registry.objects.select_for_update().get(pk=source.pk)
        if (rule := row.rules_from_here.by_name().first()) is not None:
            raise SourceInUse(_NAMED % {"name": rule.name})
        if Run.objects.filter(source=row, state__in=[Run.State.UNDER_WAY, Run.State.WAITING]).exists():
            raise SourceInUse(_AT_WORK)
        registries.retire(row, give_up_name=True)
        note(Entry.Act.REGISTRY_REMOVE, row, person)
