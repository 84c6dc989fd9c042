"""Which of the two registries of a copy an error is of: both raise the same ones."""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from oci.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Side(StrEnum):
    SOURCE = "source"
    TARGET = "target"


@contextmanager
def at(side: Side) -> Iterator[None]:
    """What is raised inside is of this side, unless it said so already: one is asked while the other is sent to."""
    try:
        yield
    except RegistryError as error:
        error.at = error.at or side
        raise


def side_of(error: RegistryError) -> Side | None:
    return Side(error.at) if error.at else None
