"""What a failed copy means for the rest of its run: the image alone, its repository, or the whole registry. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from django.utils.translation import gettext_noop

from oci.errors import (
    Denied,
    DigestMismatch,
    NotFound,
    Refused,
    RegistryError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from oci.transfer.images import WANTS_CONTENT
from oci.transfer.selection import Form, Selection
from oci.transfer.sides import Side, side_of

SHORTEST: Final = 1.0  # seconds
LONGEST: Final = 6 * 3600.0
_EVERYTHING: Final = Selection()
_UNTOLD: Final = 15 * 60.0  # where a registry does not say how long to wait
_GONE: Final = gettext_noop("the source has it no more")
_LOST: Final = gettext_noop("a part of it is missing at the source: %(why)s")
_REFUSED_SOURCE: Final = gettext_noop("the source lets nobody read it with these credentials: %(why)s")
_REFUSED_TARGET: Final = gettext_noop("the target lets nobody write it with these credentials: %(why)s")
_WRONG: Final = gettext_noop("what the source sent is not what its digest says; nothing of it was kept: %(why)s")
_SPARSE: Final = gettext_noop(
    "the target takes no index whose images are missing: choose another form for the platforms of the rule. %(why)s"
)
_SOURCE: Final = gettext_noop("the source: %(why)s")
_TARGET: Final = gettext_noop("the target: %(why)s")
SENTENCES: Final = (_GONE, _LOST, _REFUSED_SOURCE, _REFUSED_TARGET, _WRONG, _SPARSE, _SOURCE, _TARGET)


class Away(Exception):  # noqa: N818  it says why the rest was not tried
    """A registry does not answer any more; `sentence` says which."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Reach(Enum):
    """How far it reaches."""

    IMAGE = auto()
    REPOSITORY = auto()
    REGISTRY = auto()  # wait, then go on
    AWAY = auto()  # the registry does not answer: others will not come through either


@dataclass(frozen=True, slots=True)
class Fault:
    """`again`: whether it may come right by itself, so that it is tried once more. `wait` is seconds."""

    reach: Reach
    side: Side
    sentence: str
    again: bool = False
    wait: float = 0.0


def fault_of(error: RegistryError, selection: Selection = _EVERYTHING) -> Fault:
    """By the class of the error, never by its text; `selection` is what was asked for of an index."""
    side = side_of(error) or Side.TARGET
    if isinstance(error, TooManyRequests):
        wait = _UNTOLD if error.retry_after is None else error.retry_after
        wait = min(max(wait, SHORTEST), LONGEST)
        return Fault(Reach.REGISTRY, side, _sentence(error, side), again=True, wait=wait)
    if isinstance(error, Unauthorized | Denied):
        return Fault(Reach.REPOSITORY, side, _sentence(error, side))
    if isinstance(error, Unreachable | Unavailable):
        return Fault(Reach.AWAY, side, _sentence(error, side), again=True)
    if _is_sparse(error, side, selection):
        return Fault(Reach.IMAGE, side, _SPARSE % {"why": error})  # however often it is tried
    is_lost = isinstance(error, NotFound) and side is Side.SOURCE
    return Fault(Reach.IMAGE, side, _sentence(error, side), again=not is_lost)


def _is_sparse(error: RegistryError, side: Side, selection: Selection) -> bool:
    """Whether the target refused an index for the want of images that were left out of it."""
    if selection.form is not Form.SPARSE or not selection.key or side is not Side.TARGET:
        return False
    if not isinstance(error, Refused) or not any(error.says(code) for code in WANTS_CONTENT):
        return False
    return error.request.startswith("PUT ") and "/manifests/" in error.request


def _sentence(error: RegistryError, side: Side) -> str:
    at_source = side is Side.SOURCE
    match error:
        case Unauthorized() | Denied():
            sentence = _REFUSED_SOURCE if at_source else _REFUSED_TARGET
        case NotFound() if at_source:
            sentence = _LOST if "/blobs/" in error.request else _GONE
        case DigestMismatch() | TooLarge() if at_source:
            sentence = _WRONG
        case _:
            sentence = _SOURCE if at_source else _TARGET
    return sentence % {"why": error}
