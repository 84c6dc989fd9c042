"""The storage folder that a start names for scans to read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from oci.storage import StorageFolder
from registry_ui.start import environment, keys, options, registry, storage
from registry_ui.start.errors import StartError
from tests.registry_ui.processes import ROOT, free_port
from tests.storage_layout import StorageLayout

ELSEWHERE = ("--registry", "https://registry.example.com")


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BERTH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BERTH_DATA", str(tmp_path / "data"))


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the operator names; nothing is there yet."""
    folder = tmp_path / "storage"
    monkeypatch.setenv("BERTH_REGISTRY_STORAGE", str(folder))
    return folder


def told(*arguments: str) -> dict[str, str]:
    parsed = options.parse(arguments)
    return environment.django(parsed, {name: parsed.data / name for name in keys.MAKERS}, "unix:///x")


def test_of_the_local_registry_it_is_in_the_data_folder(tmp_path: Path) -> None:
    assert told()["BERTH_REGISTRY_STORAGE"] == str(tmp_path / "data/registry")
    assert "BERTH_REGISTRY_STORAGE" not in told(*ELSEWHERE)


def test_it_is_there_before_the_first_push() -> None:
    parsed = options.parse([])

    registry.service(parsed, "docker-registry", keys.prepare(parsed.data)["registry-secret"], "s" * 43)

    StorageFolder(storage.local(parsed))


def test_of_another_registry_it_is_what_the_operator_says(named: Path) -> None:
    parsed = options.parse(ELSEWHERE)

    assert "BERTH_REGISTRY_STORAGE" not in told(*ELSEWHERE)  # so the operator's stays
    storage.check(parsed)


def test_a_folder_beside_the_local_registry_is_not_passed_over(named: Path, tmp_path: Path) -> None:
    with pytest.raises(StartError) as refusal:
        storage.check(options.parse([]))

    said = str(refusal.value)
    assert said.startswith(f"BERTH_REGISTRY_STORAGE={named} is not where the local registry keeps its images")
    assert str(tmp_path / "data/registry") in said
    assert "--registry URL" in said
    assert "\n" not in said


def test_who_names_the_folder_of_the_local_registry_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_REGISTRY_STORAGE", f"{tmp_path}/data/registry/")

    storage.check(options.parse([]))


def test_such_a_start_ends_before_anything_is_started(named: Path, tmp_path: Path) -> None:
    ports = ("--port", str(free_port()), "--registry-port", str(free_port()))
    outcome = subprocess.run(
        [sys.executable, "-m", "registry_ui.start", *ports],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert outcome.returncode == 2
    assert outcome.stdout == ""
    assert outcome.stderr.startswith(f"berth: BERTH_REGISTRY_STORAGE={named} is not where")
    assert outcome.stderr.count("\n") == 1
    assert not (tmp_path / "data/registry").exists()


def test_a_path_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_REGISTRY_STORAGE", "srv/registry")

    with pytest.raises(StartError, match=re.escape("BERTH_REGISTRY_STORAGE=srv/registry: give the whole path")):
        options.parse(ELSEWHERE)


def test_a_folder_that_cannot_be_read_is_told_and_no_more(named: Path) -> None:
    parsed = options.parse(ELSEWHERE)

    (remark,) = storage.remarks(parsed)
    assert remark.startswith(f"BERTH_REGISTRY_STORAGE: The storage folder {named} cannot be used: it is not there.")
    assert remark.endswith("Until then scans ask the registry's API.")
    StorageLayout(named).image("team/app", "1")
    assert storage.remarks(parsed) == []


def test_of_what_nobody_named_nothing_is_told() -> None:
    assert storage.remarks(options.parse([])) == storage.remarks(options.parse(ELSEWHERE)) == []
