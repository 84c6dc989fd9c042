"""The command that takes rules over: it shows first, adds with --apply, and says what is in the way."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registries.models import Registry
from sync.importing.document import LARGEST
from sync.models import Rule
from tests.web import furniture as make

pytestmark = pytest.mark.django_db

CANARY = "CANARY-7f3"
RETAGGED = "It stands under another tag at the target: copy that image by hand, or pin it."
REGSYNC = f"""
creds:
  - {{registry: quay.io, user: robot, pass: {CANARY}}}
defaults: {{parallel: 2}}
sync:
  - {{source: quay.io/coreos/etcd, target: ours.example.org/mirror/etcd, type: repository, interval: 1h}}
  - {{source: quay.io/a/b:1, target: ours.example.org/a/b:2, type: image}}
"""


@pytest.fixture
def ours() -> Registry:
    return make.registry("ours")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "regsync.yml"
    path.write_text(REGSYNC)
    return path


def said(*arguments: object) -> str:
    out = StringIO()
    call_command("syncimport", *map(str, arguments), stdout=out)
    assert CANARY not in out.getvalue()
    return out.getvalue()


def test_it_shows_and_changes_nothing(ours: Registry, file: Path) -> None:
    lines = said(file, "--tool", "regsync").splitlines()

    assert lines == [
        "source quay.io (https://quay.io): new, as quay",
        "rule coreos-etcd: coreos/etcd of quay to mirror/etcd of ours",
        "  all tags; without what is attached; every 60 minutes",
        "line 4, defaults.parallel: Berth sees to that by itself.",
        f"line 7, sync[1].target: {RETAGGED} (ours.example.org/a/b:2) Left out.",
        "Nothing was changed: --apply adds it.",
    ]
    assert not Rule.objects.exists()
    assert not Registry.objects.sources().exists()


def test_it_adds(ours: Registry, file: Path) -> None:
    assert "Added 1 source and 1 rule, switched off." in said(file, "--tool", "regsync", "--apply")
    assert not Rule.objects.get().is_on
    assert Registry.objects.get(name="quay").password == ""


def test_a_second_time_adds_nothing(ours: Registry, file: Path) -> None:
    said(file, "--tool", "regsync", "--apply")
    lines = said(file, "--tool", "regsync", "--apply").splitlines()
    assert "source quay.io (https://quay.io): is there, as quay" in lines
    assert "  is there already, as coreos-etcd" in lines
    assert lines[-1] == "Added 0 sources and 0 rules, switched off."
    assert Rule.objects.count() == 1


def test_it_adds_with_passwords(ours: Registry, file: Path) -> None:
    said(file, "--tool", "regsync", "--apply", "--with-passwords")
    assert Registry.objects.get(name="quay").password == CANARY


def test_for_programs(ours: Registry, file: Path) -> None:
    document = json.loads(said(file, "--tool", "regsync", "--json"))
    assert document["added"] is None
    assert document["rules"][0]["into"] == "mirror/etcd"
    assert [remark["code"] for remark in document["remarks"]] == ["not-needed", "retagged"]

    added = json.loads(said(file, "--tool", "regsync", "--json", "--apply"))["added"]
    assert added == {"sources": ["quay"], "rules": ["coreos-etcd"], "failed": []}


def test_skopeo_has_to_be_told_where_to(ours: Registry, tmp_path: Path) -> None:
    path = tmp_path / "skopeo.yml"
    path.write_text("quay.io: {images: {coreos/etcd: [v3.5.0]}}")
    with pytest.raises(CommandError, match="--target"):
        said(path, "--tool", "skopeo")
    with pytest.raises(CommandError, match="no registry of ours is called edge; there are: ours"):
        said(path, "--tool", "skopeo", "--target", "edge")
    lines = said(path, "--tool", "skopeo", "--target", "ours", "--into", "mirror/{name}").splitlines()
    assert "rule coreos-etcd: coreos/etcd of quay to mirror/{name} of ours" in lines


def test_what_is_in_the_way_is_said_at_the_end(ours: Registry, tmp_path: Path) -> None:
    path = tmp_path / "regsync.yml"
    path.write_text("sync: [{source: quay.io/a/b, target: elsewhere.example.org/a/b, type: repository}]")
    with pytest.raises(CommandError, match="1 of it could not be added"):
        said(path, "--tool", "regsync", "--apply")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"sync: ]", "Line 1: This is no YAML that Berth reads."),
        (b"sync: {}", r"Line 1, sync: A list should stand here\."),
        (b"sync: []", "No rule comes of it."),
        (b"#" * (LARGEST + 1), "The file is too large"),
        (b"\xff\xfe", "is no text"),
    ],
)
def test_what_is_no_such_file_is_refused(ours: Registry, tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "regsync.yml"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=why):
        said(path, "--tool", "regsync")


def test_a_time_zone_is_one(ours: Registry, file: Path) -> None:
    with pytest.raises(CommandError, match="no time zone Mars/Olympus"):
        said(file, "--tool", "regsync", "--zone", "Mars/Olympus")


def test_a_file_that_is_not_there_is_said(ours: Registry, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        said(tmp_path / "nothing.yml", "--tool", "regsync")
