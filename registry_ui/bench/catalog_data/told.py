"""What registries would have told of others: pushes, pulls, moves and the rest, with who claims to have done it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models.functions import Mod

from audit.models import Entry
from catalog.models import Tag
from catalog.rows import moment
from registry_ui.bench.catalog_data.moments import FIRST, LAST
from registry_ui.bench.catalog_data.shape import Catalog

COLUMNS: Final = (
    "key", "at", "since", "source", "act", "outcome", "actor", "registry", "registry_id", "repository", "tag",
    "digest_before", "digest_after", "why", "detail", "count", "from_repository", "claimed_at", "address",
    "user_agent", "event_id",
)  # fmt: skip
TOGETHER: Final = 20_000  # entries
_MOST_PLACES: Final = 50_000
_ACT = Entry.Act
# How many of a thousand there are of each, the rare ones last.
_ACTS: Final = {
    _ACT.PULL: 700.0, _ACT.PUSH: 180.0, _ACT.PUSH_AGAIN: 40.0, _ACT.MOVE: 45.0, _ACT.MOUNT: 15.0, _ACT.DELETE_TAG: 7.0,
    _ACT.DELETE_MANIFEST: 3.0, _ACT.CHANGE: 8.0, _ACT.RETAG: 1.5, _ACT.OTHER: 0.4, _ACT.GAP: 0.08,
    _ACT.BREACH_MOVE: 0.02,
}  # fmt: skip
_BY_BERTH: Final = frozenset({_ACT.RETAG, _ACT.BREACH_MOVE})
_BY_SCANS: Final = frozenset({_ACT.CHANGE, _ACT.GAP})
_NAMELESS: Final = frozenset({_ACT.DELETE_MANIFEST, _ACT.MOUNT, _ACT.OTHER})  # of no tag
_FROM: Final = frozenset({_ACT.MOVE, _ACT.RETAG, _ACT.BREACH_MOVE, _ACT.DELETE_TAG, _ACT.DELETE_MANIFEST})
_NOT_TO: Final = frozenset({_ACT.DELETE_TAG, _ACT.DELETE_MANIFEST, _ACT.MOUNT, _ACT.OTHER, _ACT.GAP})
_AGENTS: Final = ("docker/28.1.1 go/go1.24", "containerd/v2.1.0", "Go-http-client/1.1", "skopeo/1.18", "cosign/v2.5.0")
_PEOPLE: Final = 400  # few of whom do most
_MACHINES: Final = 3_000
_SIGNED_IN: Final = 0.9  # of what is done
_DONE: Final = 0.9  # of what Berth set out to do


class _Place(NamedTuple):
    registry: str
    registry_id: int
    repository: str
    tag: str
    digest: str


def told(catalog: Catalog) -> Iterator[list[tuple[Any, ...]]]:
    """Two entries for each tag of the catalog, in the order of time, as rows of `COLUMNS`."""
    chance = random.Random(catalog.seed)  # noqa: S311  nothing here is secret
    places, count = _places(catalog), 2 * catalog.tags
    every = (LAST - FIRST) / count
    for begin in range(0, count, TOGETHER):
        some = range(begin, min(begin + TOGETHER, count))
        acts = chance.choices(list(_ACTS), list(_ACTS.values()), k=len(some))
        yield [
            _row(chance, number, act, FIRST + number * every, places) for number, act in zip(some, acts, strict=True)
        ]


def _places(catalog: Catalog) -> list[_Place]:
    """Some of the catalog's tags, those first that are pulled most."""
    tags = Tag.objects.exclude(presence=None).order_by("pk")
    if (step := catalog.tags // _MOST_PLACES) > 1:
        tags = tags.alias(rest=Mod("pk", step)).filter(rest=0)
    names = ("repository__registry__name", "repository__registry_id", "repository__name", "name")
    found = [_Place(*row) for row in tags.values_list(*names, "presence__manifest__digest")[:_MOST_PLACES]]
    random.Random(catalog.seed).shuffle(found)  # noqa: S311  nothing here is secret
    return found


def _row(chance: random.Random, number: int, act: str, at: datetime, places: Sequence[_Place]) -> tuple[Any, ...]:
    place, other = places[_mostly_first(chance, len(places))], chance.choice(places)
    is_told = act not in _BY_BERTH and act not in _BY_SCANS
    actor = f"ci-{_mostly_first(chance, _PEOPLE)}" if act not in _BY_SCANS and chance.random() < _SIGNED_IN else ""
    is_gap, machine = act == _ACT.GAP, _mostly_first(chance, _MACHINES)
    return (
        f"told:{number:x}",
        moment(at),
        moment(at - timedelta(days=1)) if not is_told and not actor else None,
        Entry.Source.EVENT if is_told else Entry.Source.BERTH if act in _BY_BERTH else Entry.Source.SCAN,
        act,
        Entry.Outcome.DONE if chance.random() < _DONE or is_told else Entry.Outcome.FAILED,
        actor,
        place.registry,
        place.registry_id,
        "" if is_gap else place.repository,
        "" if is_gap or act in _NAMELESS else place.tag,
        other.digest if act in _FROM else "",
        "" if act in _NOT_TO else place.digest,
        "",
        "",
        chance.choice((1, 1, 1, 4, 12)) if act in {_ACT.PULL, _ACT.MOUNT} else 1,
        other.repository if act == _ACT.MOUNT else "",
        moment(at - timedelta(seconds=chance.random())) if is_told else None,
        f"10.{machine % 7}.{machine // 250}.{machine % 250}" if is_told else "",
        _AGENTS[machine % len(_AGENTS)] if is_told else "",
        f"{number:032x}" if is_told else "",
    )


def _mostly_first(chance: random.Random, count: int) -> int:
    """A number below `count`, the smaller the likelier."""
    return int(count * chance.random() ** 3)
