"""What the figures of a bench rest on: how requests are told apart, walks, percentiles, and rows that say nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from registry_ui.bench import storage_data
from registry_ui.bench.baseline import ask_everything, read_everything
from registry_ui.bench.errors import BenchError
from registry_ui.bench.pages import p95
from registry_ui.bench.programs import of_2
from registry_ui.bench.registries import Asked, Registry
from registry_ui.bench.storage_data import Shape
from registry_ui.bench.table import Row, as_table

LINE = '127.0.0.1 - - [25/Nov/2026:07:40:08 +0000] "{} HTTP/1.1" 200 123 "" "{}"\n'


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    storage_data.write(tmp_path / "storage", Shape(2, 20), 1)
    return Registry(of_2(), tmp_path / "storage", tmp_path / "registry")


def test_a_registry_serves_all_that_was_written(registry: Registry) -> None:
    with registry.serving():
        ask_everything(registry.url, read_everything(registry.storage).requests)


def test_a_baseline_that_is_refused_is_none(registry: Registry) -> None:
    with registry.serving(), pytest.raises(BenchError, match="answers 404 to /v2/web/nobody"):
        ask_everything(registry.url, ["/v2/web/nobody/tags/list"])


def test_requests_of_berth_are_told_apart_and_those_of_others_left_out(registry: Registry, tmp_path: Path) -> None:
    digest = f"sha256:{'a' * 64}"
    asked = {
        "GET /v2/": 2,
        "GET /v2/berth-probe/probe/manifests/none": 1,
        "GET /v2/_catalog?n=1000": 1,
        "GET /v2/web/a/tags/list": 3,
        "GET /v2/web/a/manifests/latest": 4,
        f"HEAD /v2/web/a/manifests/{digest}": 5,
        f"GET /v2/web/a/blobs/{digest}": 6,
    }
    lines = "".join(LINE.format(request, "berth/0.1.0") * times for request, times in asked.items())
    lines += LINE.format("GET /v2/web/a/manifests/latest", "berth-baseline") * 9
    (tmp_path / "registry/access").write_text(lines)

    assert registry.asked() == Asked(catalog=1, lists=3, tags=4, digests=5, blobs=6, others=3)
    assert registry.asked() == Asked(0, 0, 0, 0, 0, 0), "each is told once"


def test_what_berth_writes_is_told_by_its_method(registry: Registry, tmp_path: Path) -> None:
    asked = {
        "PUT /v2/web/a/manifests/latest": 2,
        f"DELETE /v2/web/a/manifests/sha256:{'a' * 64}": 1,
        "DELETE /v2/web/a/manifests/latest": 3,
    }
    lines = "".join(LINE.format(request, "berth/0.1.0") * times for request, times in asked.items())
    (tmp_path / "registry/access").write_text(lines * 2)

    assert registry.heard() == {("PUT", "tags"): 4, ("DELETE", "digests"): 2, ("DELETE", "tags"): 6}


def test_what_is_not_what_its_digest_says_ends_the_walk(registry: Registry) -> None:
    name = next(iter(read_everything(registry.storage).configs)).removeprefix("sha256:")
    (registry.storage / f"docker/registry/v2/blobs/sha256/{name[:2]}/{name}/data").write_text("{}")

    with pytest.raises(BenchError, match=name):
        read_everything(registry.storage)


def test_a_wide_repository_holds_no_past(tmp_path: Path) -> None:
    storage_data.write(tmp_path, Shape(1, 30, images=3, past=False), 1)

    found = read_everything(tmp_path)
    assert len(found.tags) == 30
    assert not [folder for folder, _, _ in os.walk(tmp_path) if folder.endswith("/index")]


def test_a_percentile_is_one_of_the_values() -> None:
    assert p95(range(1, 101)) == 95
    assert p95([3, 1, 2]) == 3
    assert p95([7]) == 7


def test_a_row_that_says_nothing_is_seen() -> None:
    table = as_table("scan", {}, [Row("ratio", 1, "times", 2, void=True)])

    assert table.splitlines()[-1].endswith("VOID")
