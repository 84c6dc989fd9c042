"""What an image says of itself: the labels and annotations with an agreed meaning by name, the others as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from catalog.known_names import KNOWN, REVISIONS, SOURCES
from catalog.reads.image import Image
from catalog.reads.pairs import Cut, Pairs
from catalog.secret_names import may_hold_secret
from web.links import commit_link, web_link

_LONGEST: Final = 1_000  # characters of a value


@dataclass(frozen=True, slots=True)
class Fact:
    """`key` is what the image calls it; `link` is where its value leads, "" where nowhere."""

    name: str
    key: str
    value: Cut
    link: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    name: Cut
    value: Cut
    may_hold_secret: bool


@dataclass(frozen=True, slots=True)
class About:
    """`more_variables` are not in `variables`."""

    facts: tuple[Fact, ...]
    labels: Pairs
    annotations: Pairs
    variables: tuple[Variable, ...]
    more_variables: int

    @property
    def variable_count(self) -> int:
        return len(self.variables) + self.more_variables

    @property
    def secret_count(self) -> int:
        return sum(variable.may_hold_secret for variable in self.variables)


def about_of(image: Image) -> About:
    labels = image.config.labels if image.config else {}
    annotations = image.annotations_said
    environment = image.environment
    return About(
        facts=tuple(_facts(labels, annotations)),
        labels=_others(labels),
        annotations=_others(annotations),
        variables=tuple(
            Variable(name, value, may_hold_secret(name.text, value.text)) for name, value in environment.shown
        ),
        more_variables=environment.more,
    )


def _facts(labels: Mapping[str, str], annotations: Mapping[str, str]) -> Iterator[Fact]:
    """Those that are known, in the order of the table; a label and an annotation that say the same are one."""
    for key, name in KNOWN.items():
        for value in dict.fromkeys(said[key] for said in (annotations, labels) if said.get(key)):
            yield Fact(str(name), key, Cut.of(value, _LONGEST), _link(key, value, labels, annotations))


def _link(key: str, value: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    if key not in REVISIONS:
        return web_link(value) or ""
    sources = [said[source] for said in (annotations, labels) for source in SOURCES if said.get(source)]
    return next((link for source in sources if (link := commit_link(source, value))), "")


def _others(said: Mapping[str, str]) -> Pairs:
    return Pairs.of((key, value) for key, value in said.items() if key not in KNOWN or not value)
