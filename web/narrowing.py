"""The filter of a repository's images, as an address says it and as its form shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from catalog.facets import OTHER_PLATFORMS, PLATFORMS
from catalog.reads.narrowing import ATTACHED, GROUPS, KINDS, OLDER, YOUNGER, Choice, Choices, Narrowing
from web.typed import chosen, typed

_NAMES: Final = {
    "images": gettext_lazy("Images"),
    "charts": gettext_lazy("Charts"),
    "others": gettext_lazy("Others"),
    "attached": gettext_lazy("Attached"),
    "releases": gettext_lazy("Releases"),
    "final": gettext_lazy("Without pre-releases"),
    "branches": gettext_lazy("Branches"),
    "commits": gettext_lazy("Commits"),
    OTHER_PLATFORMS: gettext_lazy("Other platforms"),
    "1d": gettext_lazy("Of the last day"),
    "7d": gettext_lazy("Of the last 7 days"),
    "30d": gettext_lazy("Of the last 30 days"),
    "90d": gettext_lazy("Of the last 90 days"),
    "over-30d": gettext_lazy("Older than 30 days"),
    "over-90d": gettext_lazy("Older than 90 days"),
    "over-365d": gettext_lazy("Older than a year"),
}


def narrowing_of(request: HttpRequest) -> Narrowing:
    return Narrowing(
        text=typed(request, "q"),
        kind=chosen(request, "kind", (*KINDS, ATTACHED)),
        group=chosen(request, "group", tuple(GROUPS)),
        platform=chosen(request, "platform", (*PLATFORMS, OTHER_PLATFORMS)),
        age=chosen(request, "age", (*YOUNGER, *OLDER)),
    )


@dataclass(frozen=True, slots=True)
class Option:
    """`value` is what the address says, `count` None where nobody counted."""

    value: str
    name: str
    count: int | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Menus:
    """The choices beside the field for a tag's name; a menu is empty where there is nothing to choose."""

    groups: list[Option]
    kinds: list[Option]
    platforms: list[Option]
    ages: list[Option]
    unattached: int | None

    @classmethod
    def of(cls, choices: Choices, narrowing: Narrowing) -> Menus:
        """What an address chose is offered though nothing of it is there, so that it can be chosen away."""
        ages = [Choice(age, None) for age in (*YOUNGER, *OLDER)]
        return cls(
            groups=_options(choices.groups, narrowing.group),
            kinds=_options(choices.kinds, narrowing.kind),
            platforms=_options(choices.platforms, narrowing.platform),
            ages=_options(ages, narrowing.age),
            unattached=choices.unattached,
        )


def _options(choices: Iterable[Choice], chosen: str) -> list[Option]:
    offered = {choice.name: choice.count for choice in choices}
    if chosen:
        offered.setdefault(chosen, None)
    return [Option(name, str(_NAMES.get(name, name)), count, name == chosen) for name, count in offered.items()]
