"""How what a registry tells stands: counted with what it changes, and a registry that began anew is said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import F
from django.utils.translation import gettext_noop

from audit.models import Entry, EventStream
from catalog.arrivals.told import Told
from registries.models import Registry

_STANDING: Final = ("last_at", "handled_at", "claimed_at", "instance", "instance_since", "instances", "deliveries")
_REMEMBERED: Final = 20  # running registries: several may serve one address
_ANEW: Final = gettext_noop(
    "The registry was started anew, or another one began to serve its address. What a registry has not told when it"
    " ends is lost, since it keeps that in its memory alone."
)
SENTENCES: Final = (_ANEW,)


@dataclass(slots=True)
class Counts:
    """Of the events of one registry in a batch; the names are those of `EventStream`."""

    received_at: datetime
    deliveries: list[int] = field(default_factory=list)
    by_name: Counter[str] = field(default_factory=Counter)


def note(registry: Registry, tolds: list[Told], counts: Counts, now: datetime) -> list[Entry]:
    """Write how the stream of a registry stands, inside the caller's transaction; what has to be said of it."""
    stream, is_new = EventStream.objects.get_or_create(
        registry_id=registry.pk,
        defaults={"first_at": counts.received_at, "last_at": counts.received_at, "handled_at": now},
    )
    heard_until = stream.last_at
    stream.last_at, stream.handled_at = max(stream.last_at, counts.received_at), now
    claimed = [told.event.at for told in tolds if told.event.at is not None]
    stream.claimed_at = max(claimed, default=stream.claimed_at)
    new = [told for told in tolds if told.event.instance and told.event.instance not in stream.instances]
    entries = [_gap(registry, heard_until, now)] if new and stream.instances and not is_new else []
    for instance in dict.fromkeys(told.event.instance for told in new):
        stream.instance, stream.instance_since = instance, now
        stream.instances = [*stream.instances, instance][-_REMEMBERED:]
    is_counted = set(counts.deliveries) <= set(stream.deliveries)  # by whoever died before they left the inbox
    stream.deliveries = stream.deliveries if is_counted else counts.deliveries
    stream.save(update_fields=_STANDING)
    changes = {name: F(name) + number for name, number in counts.by_name.items() if number}
    if changes and not is_counted:
        EventStream.objects.filter(pk=registry.pk).update(**changes)
    return entries


def _gap(registry: Registry, since: datetime, now: datetime) -> Entry:
    return Entry(
        key=f"gap:{registry.pk}:{now:%Y-%m-%dT%H:%M}",  # once a minute, whatever a registry calls itself
        act=Entry.Act.GAP,
        source=Entry.Source.EVENT,
        outcome=Entry.Outcome.DONE,
        registry=registry.name,
        registry_id=registry.pk,
        since=since,
        at=now,
        detail=_ANEW,
    )
