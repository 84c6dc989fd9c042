"""Who has just pushed or pulled which index, so that what is told of its children belongs to it.

A memory of this process: who forgets it when it dies makes two entries of one act, and no more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from catalog.arrivals.kinds import Sort
from catalog.arrivals.told import Told

_LASTS: Final = timedelta(minutes=2)
_MOST: Final = 10_000


class Recent:
    def __init__(self) -> None:
        self._acts: OrderedDict[tuple[object, ...], datetime] = OrderedDict()

    def note(self, sort: Sort, told: Told) -> None:
        name = self._name(sort, told, told.digest)
        self._acts[name] = told.moment
        self._acts.move_to_end(name)
        if len(self._acts) > _MOST:
            self._acts.popitem(last=False)

    def has(self, sort: Sort, told: Told, indexes: Collection[str]) -> bool:
        """Whether this caller did the same to one of `indexes` about then."""
        moments = (self._acts.get(self._name(sort, told, digest)) for digest in indexes)
        return any(moment is not None and abs(told.moment - moment) < _LASTS for moment in moments)

    @staticmethod
    def _name(sort: Sort, told: Told, digest: str) -> tuple[object, ...]:
        return sort, told.registry_id, told.repository, told.caller, digest
