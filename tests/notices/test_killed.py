"""Workers that are killed at any write, in the middle of a request, or that work at the same time."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.catalog.apart import prepare
from tests.hostile import Asked, Hostile, Reply
from tests.killing import told_by
from tests.notices.killing import THINGS


def told_apart(data: Path, *options: str) -> list[dict[str, Any]]:
    return told_by("tests.notices.killing", data, *options, BERTH_NOTICE_PRIVATE_TARGETS="127.0.0.1")


def heard(requests: Sequence[Asked]) -> Counter[str]:
    return Counter(json.loads(asked.body)["id"] for asked in requests)


def test_whoever_is_killed_at_a_write_loses_nothing(tmp_path: Path, hostile: Hostile) -> None:
    prepare(tmp_path / "data", "http://127.0.0.1:1")
    hostile.on("POST", "/", Reply(200))

    ends = told_apart(tmp_path / "data", hostile.url)

    kills = len(ends) - 1  # the last one lived
    assert kills > 8
    everything = [[f"entry-{number}", "delivered"] for number in range(1, THINGS + 1)]
    assert [end["notices"] for end in ends] == [everything] * len(ends)
    # Each of the runs told each thing, and twice at most: who died after it was sent and before that was written down.
    for count in heard(hostile.asked()).values():
        assert len(ends) < count < 2 * len(ends)


def test_whoever_is_killed_while_the_other_side_answers_tells_it_again(tmp_path: Path, hostile: Hostile) -> None:
    prepare(tmp_path / "data", "http://127.0.0.1:1")
    dead: list[int] = []

    def kill(_: Asked) -> Reply:
        """Of all processes, the worker is the one at the other end of this connection."""
        dead.append(_peer_of(hostile.port))
        os.kill(dead[-1], signal.SIGKILL)
        return Reply(200)

    hostile.on("POST", "/", kill, Reply(200))

    ends = told_apart(tmp_path / "data", hostile.url, "--kill-at-the-request")

    assert len(dead) == 1
    assert ends == [{"notices": [[f"entry-{number}", "delivered"] for number in range(1, THINGS + 1)]}]
    assert heard(hostile.asked()) == {"entry-1": 2, "entry-2": 1}
    first, second, _ = hostile.asked()
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "entry-1"


def test_processes_at_once_tell_each_thing_once(tmp_path: Path, hostile: Hostile) -> None:
    prepare(tmp_path / "data", "http://127.0.0.1:1")
    hostile.on("POST", "/", Reply(200, delay=0.1))

    (end,) = told_apart(tmp_path / "data", hostile.url, "--at-once", "4")

    assert end["notices"] == [[f"entry-{number}", "delivered"] for number in range(1, THINGS + 1)]
    assert heard(hostile.asked()) == {f"entry-{number}": 1 for number in range(1, THINGS + 1)}


def _peer_of(port: int) -> int:
    """The process that has a connection to `port` of this machine."""
    wanted = f"{port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{line[9]}]" for line in lines if line[2].endswith(f":{wanted}") and line[3] == "01"}
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if inodes & {str(entry.readlink()) for entry in folder.iterdir()}:
                return int(folder.parent.name)
        except OSError:
            continue
    raise AssertionError("nobody is at the other end")
