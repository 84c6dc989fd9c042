"""`./run bench tags`: what it prints, and that both of its sides delete the same tags and no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from registry_ui.bench import storage_data
from registry_ui.bench.bare_deleting import Doomed, delete_by_name, delete_by_throwaway
from registry_ui.bench.baseline import read_where_tags_point
from registry_ui.bench.errors import BenchError
from registry_ui.bench.programs import of_2, of_3
from registry_ui.bench.registries import Registry
from registry_ui.bench.storage_data import Shape
from tests.registry_ui.processes import bench


@pytest.mark.sampled
def test_a_plan_sends_no_more_than_it_has_to() -> None:
    done = bench("tags", "--tiny", "--json")

    assert done.returncode == 0, done.stderr
    rows = {row["what"]: row for row in json.loads(done.stdout)["rows"]}
    title = "2.8: deleting 60 of 120 tags"
    assert rows[title]["value"] > 0
    assert rows[title]["limit"] is None, "too few to judge by"
    assert rows[f"{title}, PUT of tags"]["value"] == rows[f"{title}, GET of tags"]["value"] == 60
    assert rows[f"{title}, anything else"]["value"] == 0
    assert rows[f"{title}, restoring them"]["value"] > 0


def test_it_works_on_no_data_of_others() -> None:
    done = bench("tags", "--data", "/")

    assert (done.returncode, done.stdout) == (2, "")
    assert "deletes tags" in done.stderr


def overwriting(url: str, doomed: Doomed) -> float:
    return delete_by_throwaway(url, doomed, looks=True)


LOOPS = [(of_2, overwriting), (of_3, delete_by_name)]


@pytest.mark.parametrize(("program", "loop"), LOOPS)
def test_the_bare_loop_deletes_what_it_is_told_and_no_alias(
    tmp_path: Path, program: Callable[[], str | None], loop: Callable[[str, Doomed], float]
) -> None:
    registry, doomed, before = _registry(tmp_path, program())
    with registry.serving():
        assert loop(registry.url, doomed) > 0

    (left,) = read_where_tags_point(registry.storage).values()
    assert left == {tag: digest for tag, digest in before.items() if tag not in doomed.tags}


def test_a_loop_that_is_refused_is_none(tmp_path: Path) -> None:
    registry, doomed, _ = _registry(tmp_path, of_2())
    elsewhere = Doomed("web/nobody", doomed.tags)
    with registry.serving(), pytest.raises(BenchError, match="answers 404 to GET /v2/web/nobody"):
        delete_by_throwaway(registry.url, elsewhere, looks=True)


def _registry(folder: Path, program: str | None) -> tuple[Registry, Doomed, dict[str, str]]:
    """With 120 tags on 60 images, of which one alias of each is to go."""
    if program is None:
        pytest.skip("no registry 3 is here")
    storage_data.write(folder / "storage", Shape(1, 120), 1)
    ((repository, pointed),) = read_where_tags_point(folder / "storage").items()
    names = sorted(pointed, key=lambda tag: (pointed[tag], tag))[::2]
    registry = Registry(program, folder / "storage", folder / "registry")
    return registry, Doomed(repository, {tag: pointed[tag] for tag in names}), pointed
