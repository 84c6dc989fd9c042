"""Which events have taken effect: the same one may be told any number of times, and counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from django.db.models import Q

from audit.models import SeenEvent
from oci.events import Event

KEPT: Final = timedelta(days=90)
TOO_OLD: Final = KEPT - timedelta(days=1)  # of an event that happened before then nobody knows whether it was told
_TOGETHER: Final = 200
_MARK: Final = 16  # bytes


class Told(Protocol):
    @property
    def registry_id(self) -> int: ...
    @property
    def delivery_id(self) -> int: ...
    @property
    def event(self) -> Event: ...


_ToldT = TypeVar("_ToldT", bound=Told)


@dataclass(slots=True)
class Sifted(Generic[_ToldT]):
    new: list[_ToldT] = field(default_factory=list)
    repeated: list[_ToldT] = field(default_factory=list)
    conflicting: list[_ToldT] = field(default_factory=list)  # another event had this id
    done: list[_ToldT] = field(default_factory=list)  # by whoever handled this very delivery, and died then


def sift(tolds: Iterable[_ToldT]) -> Sifted[_ToldT]:
    """Tell the new ones from those that have taken effect."""
    tolds = list(tolds)
    known = _known(tolds)
    sifted: Sifted[_ToldT] = Sifted()
    for told in tolds:
        name, mark = (told.registry_id, told.event.id), _mark(told.event)
        if name not in known:
            known[name] = (mark, 0)
            sifted.new.append(told)
        elif known[name][0] != mark:
            sifted.conflicting.append(told)
        elif known[name][1] == told.delivery_id:
            sifted.done.append(told)
        else:
            sifted.repeated.append(told)
    return sifted


def note(tolds: Iterable[Told], now: datetime) -> None:
    """They take effect with the caller's transaction. Raises IntegrityError when one of them has already."""
    SeenEvent.objects.bulk_create(
        [
            SeenEvent(
                registry_id=told.registry_id,
                event_id=told.event.id,
                content=_mark(told.event),
                delivery_id=told.delivery_id,
                at=now,
            )
            for told in tolds
        ],
        batch_size=_TOGETHER,
    )


def prune(now: datetime, most: int = 1_000) -> int:
    """Forget the oldest beyond 90 days, at most so many; how many they were."""
    old = list(SeenEvent.objects.filter(at__lt=now - KEPT).order_by("at").values_list("pk", flat=True)[:most])
    SeenEvent.objects.filter(pk__in=old).delete()
    return len(old)


def _known(tolds: Sequence[Told]) -> dict[tuple[int, str], tuple[bytes, int]]:
    names: dict[int, set[str]] = {}
    for told in tolds:
        names.setdefault(told.registry_id, set()).add(told.event.id)
    known: dict[tuple[int, str], tuple[bytes, int]] = {}
    for registry, ids in names.items():
        listed = sorted(ids)
        for start in range(0, len(listed), _TOGETHER):
            among = Q(registry_id=registry, event_id__in=listed[start : start + _TOGETHER])
            rows = SeenEvent.objects.filter(among).values_list("event_id", "content", "delivery_id")
            known |= {(registry, name): (bytes(content), delivery) for name, content, delivery in rows}
    return known


def _mark(event: Event) -> bytes:
    return hashlib.sha256(event.raw).digest()[:_MARK]
