"""One page of a registry's list of names (distribution-spec 1.1, "Listing Tags")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from oci.document import load_object
from oci.errors import BadAnswer, InvalidName
from oci.names import RepositoryName, TagName

if TYPE_CHECKING:
    from collections.abc import Callable

NameT = TypeVar("NameT", RepositoryName, TagName)


@dataclass(frozen=True, slots=True)
class Page(Generic[NameT]):
    """Names that were not on an earlier page, and how many entries were no names at all."""

    names: tuple[NameT, ...]
    rejected: int = 0


def page_of(content: bytes, key: str, parse: Callable[[str], NameT], known: set[NameT]) -> Page[NameT]:
    """The names that `parse` lets through and that are not in `known`, to which they are added. Raises BadAnswer."""
    document = load_object(content, "the list")
    entries = document.get(key, "absent")
    if entries is None:  # what Go makes of an empty list
        return Page(())
    if not isinstance(entries, list):
        raise BadAnswer(f"the answer has no list of {key}")
    names: list[NameT] = []
    rejected = 0
    for entry in entries:
        try:
            name = parse(entry)
        except (InvalidName, TypeError):
            rejected += 1
            continue
        if name not in known:
            known.add(name)
            names.append(name)
    return Page(tuple(names), rejected)
