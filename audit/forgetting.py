"""Forgetting how the events of a registry stood, once it is removed: what it told stays in the record."""

from __future__ import annotations

from collections.abc import Collection

from audit.models import EventStream, Quarantined, Refused


def forget(registry_id: int, names: Collection[str]) -> None:
    """`names`: by which callers have named it. Done twice it does no more."""
    Quarantined.objects.filter(registry_id=registry_id).delete()
    Refused.objects.filter(registry__in=names).delete()
    EventStream.objects.filter(registry_id=registry_id).delete()
