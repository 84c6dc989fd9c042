"""The secrets by which a registry proves that what it tells comes from it: two at most, so that one can be changed."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cache
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.models import Entry
from registries.models import EventSecret, Registry
from registries.noting import Person, note

MOST: Final = 2  # the old one and the new one, while the configuration of the registry changes from one to the other
_SCHEME: Final = "bearer"
_BYTES: Final = 32


def issue(registry: Registry, by: Person | None = None) -> str:
    """A new secret, which nobody can read here again. Of those before, the newest goes on being one."""
    secret = secrets.token_urlsafe(_BYTES)
    with transaction.atomic():
        keep(registry, secret)
        note(Entry.Act.SECRET_ISSUE, registry, by)
    return secret


def keep(registry: Registry, secret: str, *, name: str = "") -> None:
    """Let in whoever shows `secret`, which is long and random; that it is kept already changes nothing.

    `name` is the one in the address that the registry calls, where that is not its own.
    """
    with transaction.atomic():
        values = {"registry": registry, "name": name or registry.name}
        kept, new = EventSecret.objects.get_or_create(digest=_digest(secret), defaults=values)
        if not new and (kept.registry_id, kept.name) != (registry.pk, values["name"]):
            EventSecret.objects.filter(pk=kept.pk).update(**values)
        old = [other.pk for other in live(registry) if other != kept][MOST - 1 :]
        EventSecret.objects.filter(pk__in=old).delete()


def live(registry: Registry) -> list[EventSecret]:
    """Those that let it in, the newest first."""
    return list(EventSecret.objects.filter(registry=registry).order_by("-pk"))


def revoke(registry: Registry, pk: int, by: Person | None = None) -> bool:
    """Whether there was such a secret: from now on nobody comes in with it."""
    with transaction.atomic():
        gone, _ = EventSecret.objects.filter(registry=registry, pk=pk).delete()
        if gone:
            note(Entry.Act.SECRET_REVOKE, registry, by)
    return bool(gone)


def owner(name: str, authorization: str) -> int | None:
    """The id of the registry whose secret this header shows, at the address of the registry that is called `name`.

    A registry that was given another name since may go on calling the old address: its secret says who it is.
    """
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != _SCHEME or not secret:
        return None
    given, found = _digest(secret.strip()), None
    with connection.cursor() as cursor:
        cursor.execute(*_asking())
        for pk, kept, *names in cursor.fetchall():
            if hmac.compare_digest(given, kept) and name in names:
                found = pk
    return found


@cache
def _asking() -> tuple[str, tuple[Any, ...]]:
    """Put together once: it is asked with every event."""
    rows = _live().values_list("registry_id", "digest", "name", "registry__name")
    statement: tuple[str, tuple[Any, ...]] = rows.query.sql_with_params()
    return statement


def is_expected(name: str) -> bool:
    """Whether a registry of this name is one that may tell something."""
    return any(name in names for names in _live().values_list("name", "registry__name"))


def is_kept_as(kept: EventSecret, secret: str) -> bool:
    """Whether this row is of `secret`."""
    return hmac.compare_digest(kept.digest, _digest(secret))


def _live() -> QuerySet[EventSecret]:
    return EventSecret.objects.filter(registry__retired_at=None, registry__role=Registry.Role.CATALOG)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
