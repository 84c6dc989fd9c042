"""How an image was made: the steps of its history, each with the layer that it left, if it left one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from catalog.artifact_types import file_named
from catalog.known_names import TITLE
from catalog.reads.instructions import instructions_of
from catalog.reads.pairs import NO_PAIRS, Cut, Pairs
from catalog.reads.sharing import NOBODY, Sharing
from oci.config import HistoryStep
from oci.model import Descriptor

_MOST_NOTES: Final = 8
_COLOURS: Final = 7


@dataclass(frozen=True, slots=True)
class Layer:
    number: int
    digest: str
    media_type: str
    size: int
    title: str  # a file name, where an artifact gives one
    sharing: Sharing = NOBODY
    notes: Pairs = NO_PAIRS  # what else its annotations say

    @property
    def colour(self) -> int:
        return (self.number - 1) % _COLOURS + 1

    @property
    def file_kind(self) -> str:
        """What people call a layer of this media type, "" where nobody knows."""
        return file_named(self.media_type)


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    instruction: str  # RUN, COPY, …, or "" where there is none that is known
    command: Cut
    comment: Cut
    created: datetime | None = None
    layer: Layer | None = None
    is_empty: bool = False  # says the history; without a layer and not empty: which layer is not known


def layers_of(descriptors: Iterable[Descriptor], sharing: Mapping[str, Sharing]) -> list[Layer]:
    return [
        Layer(
            number=number,
            digest=str(layer.digest),
            media_type=layer.media_type,
            size=layer.size,
            title=layer.annotations.get(TITLE, "")[:255],
            sharing=sharing.get(str(layer.digest), NOBODY),
            notes=_notes(layer),
        )
        for number, layer in enumerate(descriptors, start=1)
    ]


def _notes(layer: Descriptor) -> Pairs:
    if not layer.annotations:
        return NO_PAIRS
    return Pairs.of(((name, value) for name, value in layer.annotations.items() if name != TITLE), _MOST_NOTES)


def fits(history: Sequence[HistoryStep], layer_count: int) -> bool:
    """The history tells as many layers as there are, so each step's layer is known."""
    return sum(not step.empty_layer for step in history) == layer_count


def pair(history: Sequence[HistoryStep], layers: Sequence[Layer], *, longest: int) -> list[Step]:
    """Steps in order, layers handed out in order; layers that no step is left for follow at the end.

    `longest`: characters that are kept of a command.
    """
    steps: list[Step] = []
    waiting = iter(layers)
    told = zip(history, instructions_of(history), strict=True)
    for number, (step, (instruction, command)) in enumerate(told, start=1):
        layer = None if step.empty_layer else next(waiting, None)
        steps.append(
            Step(
                number=number,
                instruction=instruction,
                command=Cut.of(command, longest),
                comment=Cut.of("" if step.comment.startswith("buildkit.") else step.comment, longest),
                created=step.created,
                layer=layer,
                is_empty=step.empty_layer,
            )
        )
    steps += [
        Step(number, "", Cut(""), Cut(""), layer=layer) for number, layer in enumerate(waiting, start=len(steps) + 1)
    ]
    return steps
