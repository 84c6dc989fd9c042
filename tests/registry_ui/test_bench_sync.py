"""`./run bench sync`: what it prints, and that an unchanged tag costs one HEAD on each side."""

from __future__ import annotations

import json

import pytest

from tests.registry_ui.processes import bench


@pytest.mark.sampled
def test_it_copies_what_skopeo_copies() -> None:
    done = bench("sync", "--tiny", "--json")

    assert done.returncode == 0, done.stderr
    rows = {row["what"]: row for row in json.loads(done.stdout)["rows"]}
    for title in ("5 small images", "5 unchanged tags", "Four platforms, signed"):
        assert rows[title]["value"] > 0
        assert rows[title]["limit"] is None, "too few to judge by"
        assert rows[f"{title}, peak memory"]["ok"]
    title = "5 unchanged tags"
    for where in ("source", "target"):
        assert rows[f"{title}, HEAD at the {where}"]["value"] == 5
        assert rows[f"{title}, GET of manifests at the {where}"]["value"] == 0
        assert rows[f"{title}, writes at the {where}"]["value"] == 0


def test_it_works_on_no_data_of_others() -> None:
    done = bench("sync", "--data", "/")

    assert (done.returncode, done.stdout) == (2, "")
    assert "writes its own" in done.stderr
