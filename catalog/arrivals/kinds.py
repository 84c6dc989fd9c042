"""What sort of thing an event tells: which of them change the catalog, which are counted, and which are noise."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from catalog.arrivals.told import Told

_METHODS: Final = frozenset({"GET", ""})


class Sort(Enum):
    PUSH = auto()  # of a manifest
    PULL = auto()  # of a manifest, with its content
    LOOK = auto()  # HEAD of a manifest: nobody got it
    BLOB = auto()  # a layer or a config came or went to a client
    MOUNT = auto()
    DELETE = auto()
    OTHER = auto()


def sort_of(told: Told) -> Sort:
    event = told.event
    is_manifest = event.is_of_manifest and event.digest is not None
    match event.action:
        case "push":
            return Sort.PUSH if is_manifest else Sort.BLOB
        case "pull" if not event.is_of_manifest:
            return Sort.BLOB
        case "pull":
            return Sort.PULL if is_manifest and event.method in _METHODS else Sort.LOOK
        case "mount":
            return Sort.MOUNT
        case "delete" if event.tag is not None or event.digest is not None:
            return Sort.DELETE
        case _:
            return Sort.OTHER
