"""`./run bench cleanup`: what it prints, and that it finds what nothing reaches."""

from __future__ import annotations

import json

import pytest

from tests.registry_ui.processes import bench


@pytest.mark.sampled
def test_it_plans_what_may_go() -> None:
    done = bench("cleanup", "--tiny", "--json")

    assert done.returncode == 0, done.stderr
    rows = {row["what"]: row for row in json.loads(done.stdout)["rows"]}
    for title in ("3 x 20 tags", "1 x 120 tags"):
        assert rows[f"{title}: plans"]["value"] > 0
        assert rows[f"{title}: plans"]["limit"] is None, "too few to judge by"
        assert rows[f"{title}: peak memory"]["ok"]
        assert rows[f"{title}: untagged manifests"]["value"] > 0


def test_it_works_on_no_data_of_others() -> None:
    done = bench("cleanup", "--data", "/")

    assert (done.returncode, done.stdout) == (2, "")
    assert "writes its own" in done.stderr
