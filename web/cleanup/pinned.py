"""What the page of an image says of who has it in use: a part of the query that is asked anyway."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone

from catalog.models import IndexEntry
from cleanup.models import Pin
from web.templatetags.berth import moment


class Pinned(NamedTuple):
    """Whoever says that they run it, or a platform of it, and until when that holds."""

    holder: str
    until: datetime | None


def pin_through(manifest: str) -> Coalesce:
    """What a query gives each of its rows as `pin`, see `pin_of`; `manifest` is the way from the row to it.

    By its own digest, that of its config, or one that it lists; of several pins the one that lasts longest.
    """
    listed = IndexEntry.objects.filter(index=OuterRef(OuterRef(manifest))).values("digest")
    return Coalesce(
        _longest(digest=OuterRef(f"{manifest}__digest")),
        _longest(digest=OuterRef(f"{manifest}__config__digest")),
        _longest(digest__in=listed),
    )


def pin_of(row: Any) -> Pinned | None:
    """Of one that comes with its `pin`; None where nobody has it in use."""
    told: dict[str, Any] | None = row.pin
    return Pinned(told["holder"], moment(told["until"])) if told else None


def _longest(**digests: Any) -> Subquery:
    pins = Pin.objects.filter(until__gt=timezone.now(), **digests).order_by("-until")
    return Subquery(pins.values(told=JSONObject(holder="holder__name", until="until"))[:1])
