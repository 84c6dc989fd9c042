"""The bench `tags`: what it costs to delete half of the tags of a repository in one plan, and no other tag."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from registry_ui.bench import acting, programs, scanning, storage_data
from registry_ui.bench.acting import Acted
from registry_ui.bench.bare_deleting import CHUNK, Doomed, delete_by_name, delete_by_throwaway
from registry_ui.bench.baseline import read_where_tags_point
from registry_ui.bench.errors import BenchError
from registry_ui.bench.ground import for_storage, scratch
from registry_ui.bench.registries import Registry
from registry_ui.bench.site import Site
from registry_ui.bench.sizes import Size
from registry_ui.bench.table import Row

_NAME: Final = "main"  # of the registry
_WRITTEN: Final = 6  # repositories in each round, at most
_SEED: Final = 5
_RATIO: Final = 1.5
_SHORTEST: Final = 1.0  # seconds of bare loop; against less, what every plan costs is all that a ratio shows
_PAGE: Final = 1000  # tags of one page of a list


def run(size: Size, data: Path | None, say: Callable[[str], None]) -> list[Row]:
    if data:
        raise BenchError("--data: this bench deletes tags, so it writes its own.")
    ways = {"2.8": programs.of_2(), "3": programs.of_3()}
    rows: list[Row] = []
    with (
        scratch(Path(tempfile.gettempdir())) as folder,
        scratch(for_storage([size.tags] * _WRITTEN * size.rounds)) as storage,
    ):
        say("Preparing a Berth")
        empty = Site.new(folder / "empty")
        empty.add_person()
        for generation, program in ways.items():
            if program is None:
                say(f"{generation}: not measured, since no registry 3 is here (PATH, or BERTH_TEST_REGISTRY_V3)")
                continue
            ground = _Ground(program, generation, size, folder / generation, storage / generation, empty, say)
            rows += _rows(ground)
    return rows


@dataclass(frozen=True, slots=True)
class _Ground:
    program: str
    generation: str
    size: Size
    folder: Path
    storage: Path
    empty: Site
    say: Callable[[str], None]
    _made: Iterator[int] = field(default_factory=count)

    @property
    def overwrites(self) -> bool:
        """Whether this generation deletes a tag only after it was overwritten."""
        return self.generation == "2.8"

    def fresh(self) -> tuple[Registry, Doomed]:
        """A registry that is the same each time, and every second of its tags."""
        number = str(next(self._made))
        storage_data.write(self.storage / number, self.size.tags, _SEED)
        ((repository, pointed),) = read_where_tags_point(self.storage / number).items()
        registry = Registry(self.program, self.storage / number, self.folder / "registries" / number)
        return registry, Doomed(repository, dict(sorted(pointed.items())[::2]))


@dataclass(slots=True)
class _Measured:
    bare: list[float] = field(default_factory=list)  # seconds
    blind: list[float] = field(default_factory=list)  # without looking
    plans: list[Acted] = field(default_factory=list)
    restored: list[Acted] = field(default_factory=list)
    heard: Counter[tuple[str, str]] = field(default_factory=Counter)  # of the last plan


def _rows(ground: _Ground) -> Iterator[Row]:
    doomed = ground.size.tags.tags // 2
    title = f"{ground.generation}: deleting {doomed:,} of {ground.size.tags.tags:,} tags"
    measured = _measure(ground, title)
    bare, plan = min(measured.bare), min(acted.carry_out for acted in measured.plans)
    limit = _RATIO if ground.overwrites and bare >= _SHORTEST else None
    yield Row(f"{title}, bare loop", bare, "s")
    yield Row(title, plan / bare, "times the loop", limit)
    if measured.blind:
        yield Row(f"{title}, against a loop that looks at no tag", plan / min(measured.blind), "times the loop")
    yield from _requests(title, measured.heard, _expected(ground, doomed))
    yield Row(f"{title}, making the plan", min(acted.plan for acted in measured.plans), "s")
    yield Row(f"{title}, restoring them", min(acted.carry_out for acted in measured.restored), "s")


def _measure(ground: _Ground, title: str) -> _Measured:
    measured = _Measured()
    for number in range(ground.size.rounds):
        ground.say(f"{title}: round {number + 1} of {ground.size.rounds}")
        measured.bare.append(_bare(ground, looks=True))
        if ground.overwrites:
            measured.blind.append(_bare(ground, looks=False))
        _carry_out(ground, measured, number)
    return measured


def _bare(ground: _Ground, *, looks: bool) -> float:
    registry, doomed = ground.fresh()
    with registry.serving():
        if ground.overwrites:
            return delete_by_throwaway(registry.url, doomed, looks=looks)
        return delete_by_name(registry.url, doomed)


def _carry_out(ground: _Ground, measured: _Measured, number: int) -> None:
    registry, doomed = ground.fresh()
    site = ground.empty.copy(ground.folder / f"site-{number}")
    scanning.add(site, _NAME, registry)
    with registry.serving():
        acting.probe(site, _NAME)
        scanning.scan(site, _NAME)
        registry.heard()
        acted = acting.delete(site, _NAME, doomed.repository, doomed.tags)
        measured.heard = registry.heard()
        measured.restored.append(acting.restore(site, _NAME, doomed.repository))
    left = read_where_tags_point(registry.storage)
    if acted.done != len(doomed.tags) or left.keys() & doomed.tags.keys():
        raise BenchError(f"{acted.done} of {len(doomed.tags)} tags were deleted.")
    measured.plans.append(acted)


def _expected(ground: _Ground, doomed: int) -> dict[tuple[str, str], int]:
    """What a plan has to send: for its tags, for the right to do so, and to see what is listed in the end."""
    may_delete, may_push, chunks = 1, 1, -(-doomed // CHUNK)
    looks = {("GET", "tags"): doomed, ("GET", "lists"): (ground.size.tags.tags - doomed) // _PAGE + 1}
    if not ground.overwrites:
        return {**looks, ("DELETE", "tags"): doomed, ("DELETE", "digests"): may_delete}
    return {
        **looks,
        ("PUT", "tags"): doomed,
        ("PUT", "digests"): may_push,
        ("DELETE", "digests"): chunks + may_delete,
        ("HEAD", "digests"): chunks,  # whether the throwaway went
    }


def _requests(title: str, heard: Counter[tuple[str, str]], expected: dict[tuple[str, str], int]) -> Iterator[Row]:
    for (method, kind), most in expected.items():
        yield Row(f"{title}, {method} of {kind}", heard[method, kind], "requests", most)
    others = sum(times for asked, times in heard.items() if asked not in expected)
    yield Row(f"{title}, anything else", others, "requests")
