"""Pages that are asked for on one or several connections at once, and what the server says that each cost."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from registry_ui.bench.errors import BenchError
from registry_ui.bench.pages import Answer, Reader

_TIMING: Final = re.compile(r'app;dur=([0-9.]+), cpu;dur=([0-9.]+), db;dur=([0-9.]+);desc="([0-9]+) queries"')


@dataclass(frozen=True, slots=True)
class Visit:
    """Times are in ms: `wall` as whoever asked saw it, the others as the server did."""

    wall: float
    app: float
    cpu: float
    db: float
    queries: int
    size: int  # bytes of the body, as they were sent

    @classmethod
    def of(cls, path: str, answer: Answer) -> Visit:
        told = _TIMING.fullmatch(answer.headers.get("Server-Timing", ""))
        if told is None:
            raise BenchError(f"The page {path} does not say what it cost.")
        app, cpu, db = (float(told[number]) for number in (1, 2, 3))
        return cls(1000 * answer.seconds, app, cpu, db, int(told[4]), len(answer.body))


def visit(reader: Reader, paths: Mapping[str, Sequence[str]], connections: int) -> dict[str, list[Visit]]:
    """All `paths`, one of each kind after the other, so that none is asked for twice in a row; by kind."""
    found: dict[str, list[Visit]] = {kind: [] for kind in paths}
    todo, taking = _in_turn(paths), threading.Lock()

    def work() -> None:
        with reader.connected() as connection:
            while True:
                with taking:
                    wanted = next(todo, None)
                if wanted is None:
                    return
                kind, path = wanted
                found[kind].append(Visit.of(path, reader.ask(connection, path)))

    with ThreadPoolExecutor(connections) as threads:
        for future in [threads.submit(work) for _ in range(connections)]:
            future.result()
    return found


def _in_turn(paths: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for number in range(max(map(len, paths.values()))):
        yield from ((kind, some[number]) for kind, some in paths.items() if number < len(some))
