"""What a run does with one tag, by what stands at both ends: new, moved, unchanged, or left alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop

from sync.details import Moved
from sync.models import Item

_MOVED: Final = gettext_noop("it points to another image at the target, and the rule leaves such tags alone")
SENTENCES: Final = (_MOVED,)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a tag points: `source` and `target` are digests, "" where it is not there.

    `upstream` and `put` are those of the copy that was made last, with the form that is asked for now: of `upstream`
    the image `put` was made. "" where there was none.
    """

    source: str
    target: str
    upstream: str = ""
    put: str = ""
    is_plain: bool = True  # what is copied has the digest that it has at the source

    @property
    def is_same(self) -> bool:
        if self.is_plain:
            return self.source == self.target
        return bool(self.put) and self.upstream == self.source and self.put == self.target


@dataclass(frozen=True, slots=True)
class Judgement:
    act: Item.Act
    note: str = ""
    backs_up: bool = False


def judge(standing: Standing, moved: Moved, protected: str) -> Judgement:
    """`protected`: a sentence that says why the tag may not move, or ""."""
    if standing.is_same:
        return Judgement(Item.Act.KEEP)
    if not standing.target:
        return Judgement(Item.Act.COPY)
    if protected:
        return Judgement(Item.Act.LEAVE, protected)
    if moved is Moved.LEAVE:
        return Judgement(Item.Act.LEAVE, _MOVED)
    return Judgement(Item.Act.COPY, backs_up=moved is Moved.BACK_UP)
