"""`./run bench pages`: from an empty folder to figures, and what they rest on."""

from __future__ import annotations

import json
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from registry_ui.bench.errors import BenchError
from registry_ui.bench.pages import Answer
from registry_ui.bench.visits import Visit
from tests.registry_ui.processes import bench


def rows_of(text: str) -> dict[str, dict[str, Any]]:
    return {row["what"]: row for row in json.loads(text)["rows"]}


@pytest.mark.sampled
def test_pages_are_measured_and_the_catalog_is_kept_for_the_next_run(tmp_path: Path) -> None:
    done = bench("pages", "--tiny", "--json", "--data", str(tmp_path))

    rows = rows_of(done.stdout)
    assert done.returncode == (0 if all(row["ok"] for row in rows.values()) else 1)
    for connections in (1, 8):
        server = rows[f"SQLite, {connections} at once: image, in the server, p95"]
        processor = rows[f"SQLite, {connections} at once: image, processor, p95"]
        assert server["limit"] is None, "too few to judge by"
        assert processor["value"] > 0
        assert server["value"] > 0
    assert rows["SQLite: image index, queries at most"]["limit"] == 10
    assert rows["SQLite: image index, queries at most"]["value"] > 3
    assert rows["SQLite: image index, weight at most"]["value"] > 2
    assert "PostgreSQL: not measured" in done.stderr
    assert "filling a catalog" in done.stderr
    first = next(row for what, row in rows.items() if "first visit" in what)
    assert (first["unit"], first["limit"]) == ("kB", 100)
    assert first["value"] > 52, "the two fonts alone are that large"

    again = bench("pages", "--tiny", "--json", "--data", str(tmp_path))
    assert "is used again" in again.stderr
    assert rows_of(again.stdout).keys() == rows.keys()


def test_an_answer_tells_what_it_cost() -> None:
    headers = Message()
    with pytest.raises(BenchError, match="/jobs does not say"):
        Visit.of("/jobs", Answer(0.02, headers, b"page"))

    headers["Server-Timing"] = 'app;dur=12.50, cpu;dur=9.00, db;dur=3.25;desc="7 queries"'
    assert Visit.of("/jobs", Answer(0.02, headers, b"page")) == Visit(20, 12.5, 9, 3.25, 7, 4)
