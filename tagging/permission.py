"""Who may do what to tags: the one place that is asked before anything is planned, carried out or undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_noop

from access.policy import may_administer

if TYPE_CHECKING:
    from access.policy import Person
    from registries.models import Registry

_STAFF_ONLY: Final = gettext_noop("Only staff may change what a registry holds.")
_RETIRED: Final = gettext_noop("The registry was removed from Berth, which no longer changes anything there.")
SENTENCES: Final = (_STAFF_ONLY, _RETIRED)


class NotPermitted(Exception):  # noqa: N818  it says what is not allowed, for people
    """The person may not do this; the sentence says why."""


def check_may_administer(person: Person) -> None:
    """What concerns all registries. Raises NotPermitted."""
    if not may_administer(person):
        raise NotPermitted(_STAFF_ONLY)


def check_may_act(person: Person, registry: Registry) -> None:
    """Raises NotPermitted."""
    check_may_administer(person)
    if registry.retired_at is not None:
        raise NotPermitted(_RETIRED)
