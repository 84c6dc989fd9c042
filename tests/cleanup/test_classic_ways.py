"""The file of commands: who may have written it, and what may stand in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from cleanup.classic.ways import NoWay, read, way_of
from registries.models import Registry
from tests.cleanup.switched import written

pytestmark = pytest.mark.any_database

_WAY = {
    "address": "https://registry.example.org/",
    "read-only-on": [["docker", "compose", "up", "-d"]],
    "garbage-collect": ["docker", "exec", "registry", "registry", "garbage-collect", "/etc/docker/registry/config.yml"],
    "read-only-off": [["docker", "compose", "up", "-d"], ["systemctl", "restart", "registry"]],
}


def test_a_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_SECRET_KEY", "not for them")
    path = written(
        tmp_path / "own/c.toml", _WAY | {"environment": {"DOCKER_HOST": "unix:///run/d"}, "seconds": {"restart": 5}}
    )

    way = read(path)["https://registry.example.org"]

    assert way.dry_run.argv == (*_WAY["garbage-collect"], "--dry-run")
    assert way.collect.argv == tuple(_WAY["garbage-collect"])
    assert [command.argv[0] for command in way.read_only_off] == ["docker", "systemctl"]
    assert way.restart == ()
    assert way.environment["DOCKER_HOST"] == "unix:///run/d"
    assert set(way.environment) <= {"DOCKER_HOST", "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"}


@pytest.mark.parametrize("untagged", ["--delete-untagged", "--delete-untagged=false", "-m", "-md", "-dm"])
@pytest.mark.parametrize("part", ["garbage-collect", "dry-run", "read-only-on"])
def test_what_deletes_images_of_several_platforms_is_refused(untagged: str, part: str, tmp_path: Path) -> None:
    shell = ["sh", "-c", f"registry garbage-collect {untagged} config.yml --dry-run"]
    words: Any = ["registry", "garbage-collect", untagged, "config.yml"]
    value = {"garbage-collect": words, "dry-run": shell, "read-only-on": [shell]}[part]

    with pytest.raises(NoWay, match="deletes images of several platforms: Berth never runs it"):
        read(written(tmp_path / "own/c.toml", _WAY | {part: value}))


def test_memory_is_no_such_word(tmp_path: Path) -> None:
    collect = ["docker", "run", "-m", "512m", "registry:2", "garbage-collect", "/etc/config.yml"]

    assert read(written(tmp_path / "own/c.toml", _WAY | {"garbage-collect": collect}))


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"garbage-collect": ["/usr/local/bin/sweep"]}, "is no word of the command /usr/local/bin/sweep"),
        ({"garbage-collect": ["sh", "-c", "registry garbage-collect config.yml"]}, "is no word of the command"),
        ({"garbage-collect": [*_WAY["garbage-collect"], "--dry-run"]}, "written without --dry-run"),
        ({"dry-run": _WAY["garbage-collect"]}, "dry-run is without --dry-run"),
        ({"read-only-on": []}, "read-only-on is a list of commands"),
        ({"read-only-on": ["docker restart"]}, "read-only-on is a list of commands"),
        ({"read-only-off": [["docker", 5]]}, "a command of read-only-off is a list of words"),
        ({"read-only-off": [[]]}, "a command of read-only-off is a list of words"),
        ({"restart": [[""]]}, "names no program"),
        ({"restart": [["a\0b"]]}, "a command of restart is a list of words"),
        ({"address": ""}, "has no address"),
        ({"seconds": {"garbage-collect": 0}}, "seconds of garbage-collect are no number"),
        ({"seconds": {"colect": 5}}, "seconds may say"),
        ({"environment": {"A": 5}}, "environment is a table of texts"),
        ({"environment": {"A=B": "5"}}, "environment holds what no environment can"),
        ({"delete-untagged": "true"}, "delete-untagged is no name it knows"),
    ],
)
def test_what_is_wrong_is_said(part: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(NoWay) as refusal:
        read(written(tmp_path / "own/c.toml", _WAY | part))

    assert says in refusal.value.sentence
    assert str(tmp_path / "own/c.toml") in refusal.value.sentence


def test_two_ways_of_one_registry_are_none(tmp_path: Path) -> None:
    with pytest.raises(NoWay, match="is there twice"):
        read(written(tmp_path / "own/c.toml", _WAY, _WAY))


@pytest.mark.parametrize("content", [b"\xff", b"a = ", b"registry = 5", b"[[registri]]"])
def test_what_is_no_such_file_is_said(content: bytes, tmp_path: Path) -> None:
    path = written(tmp_path / "own/c.toml")
    path.write_bytes(content)

    with pytest.raises(NoWay, match="is wrong"):
        read(path)


@pytest.mark.parametrize(("where", "mode"), [("", 0o660), ("", 0o602), ("..", 0o770), ("..", 0o707)])
def test_a_file_that_others_may_write_is_refused(where: str, mode: int, tmp_path: Path) -> None:
    path = written(tmp_path / "own/c.toml", _WAY)
    (path / where).resolve().chmod(mode) if where else path.chmod(mode)

    with pytest.raises(NoWay, match="others than who runs Berth may write it or its folder"):
        read(path)


def test_a_link_into_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    theirs = written(tmp_path / "theirs/c.toml", _WAY)
    theirs.parent.chmod(0o777)
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "own/c.toml").symlink_to(theirs)

    with pytest.raises(NoWay, match="others than who runs Berth"):
        read(tmp_path / "own/c.toml")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "own/c.toml", _WAY)
    os.chown(path, 65534, -1)

    with pytest.raises(NoWay, match="others than who runs Berth"):
        read(path)


def test_the_way_of_a_registry_is_that_of_its_address(tmp_path: Path, settings: Settings) -> None:
    wrong, right = tmp_path / "none.toml", written(tmp_path / "own/c.toml", _WAY)
    ours = Registry(name="main", url="https://registry.example.org")
    settings.CLEANUP_COMMANDS = [wrong, right]
    assert way_of(ours).address == ours.url
    with pytest.raises(NoWay, match=r"none\.toml cannot be read: No such file"):
        way_of(Registry(name="other", url="https://other.example.org"))

    settings.CLEANUP_COMMANDS = [right]
    with pytest.raises(NoWay, match="No commands are set up for other"):
        way_of(Registry(name="other", url="https://other.example.org"))
