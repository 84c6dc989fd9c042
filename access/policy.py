"""The rules of who may do what; pure, and the only place that says so."""

from __future__ import annotations

from typing import Protocol


class Person(Protocol):
    """What the rules need to know of whoever asks."""

    @property
    def is_authenticated(self) -> bool: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def is_staff(self) -> bool: ...


def may_read(person: Person, *, anonymous_read: bool) -> bool:
    """Anyone signed in reads; without signing in only where the setting says so."""
    return (person.is_authenticated and person.is_active) or anonymous_read


def may_administer(person: Person) -> bool:
    """Staff scan, answer a job's question, and add or change registries."""
    return person.is_authenticated and person.is_active and person.is_staff
