"""Reading a storage folder by a process beside: the same answers, whoever gives them, and nothing is left behind."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Final, cast

import pytest

from catalog.models import IndexEntry, Manifest
from catalog.recording.records import ConfigRecord, ManifestRecord
from catalog.scanning import beside as module
from catalog.scanning import reader
from catalog.scanning.beside import Beside
from oci.errors import NotFound, RegistryError
from oci.fetched import Fetched
from oci.media_types import OCI_INDEX, OCI_MANIFEST
from oci.names import Digest, RepositoryName
from oci.storage import StorageFault, StorageFolder
from tests.storage_layout import StorageLayout

APP: Final = RepositoryName("team/app")
IMAGES: Final = 40
PATIENCE: Final = 10.0  # seconds
ABSENT: Final = "sha256:" + "0" * 64


@pytest.fixture
def storage(tmp_path: Path) -> StorageLayout:
    return StorageLayout(tmp_path / "storage")


@pytest.fixture
def digests(storage: StorageLayout) -> list[str]:
    return [storage.image(APP, str(number), seed=str(number)) for number in range(IMAGES)]


@pytest.fixture
def folder(storage: StorageLayout, digests: list[str]) -> StorageFolder:
    return StorageFolder(storage.root)


@pytest.fixture
def beside(folder: StorageFolder) -> Iterator[Beside]:
    with closing(Beside(folder)) as beside:
        yield beside


def process_of(beside: Beside) -> subprocess.Popen[bytes]:
    assert beside._process is not None
    return beside._process


def plain(answers: Iterator[reader.Answer]) -> list[object]:
    return [(type(a), str(a)) if isinstance(a, RegistryError) else a for a in answers]


def test_it_answers_as_the_folder_does_here(beside: Beside, folder: StorageFolder, digests: list[str]) -> None:
    asked = [digests[0], ABSENT, *digests, ABSENT.replace("0", "1")]
    known = {digests[1], digests[2], ABSENT}
    answers = plain(beside.look(APP, asked, known))
    assert answers == plain(reader.read(folder, APP, asked, known))
    assert isinstance(answers[0], ManifestRecord)
    assert answers[1] == (NotFound, f"storage {APP}@{ABSENT} was refused with 404: MANIFEST_UNKNOWN it is not there")
    assert answers[3:5] == [None, None]
    assert process_of(beside).poll() is None


def test_what_nobody_wants_any_more_is_not_the_answer_to_what_is_asked_next(
    beside: Beside, folder: StorageFolder, digests: list[str]
) -> None:
    with closing(beside.look(APP, digests, ())) as answers:
        next(answers)
    assert plain(beside.look(APP, digests[5:6], ())) == plain(reader.read(folder, APP, digests[5:6], ()))


def test_the_heavy_are_asked_for_one_by_one(
    beside: Beside, storage: StorageLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    heavy = [storage.manifest(APP, json.dumps([number, "x" * 70_000]).encode()) for number in range(70)]
    light = [storage.image(APP, seed=f"light-{number}") for number in range(70)]
    asked: list[int] = []
    send = module._send

    def counted(message: StorageFolder | reader.Request, to: IO[bytes]) -> None:
        if isinstance(message, reader.Request):
            asked.append(len(message.digests))
        send(message, to)

    monkeypatch.setattr(module, "_send", counted)
    assert len(list(beside.look(APP, [*heavy, *light], ()))) == 140
    assert asked == [64, 1, 1, 1, 1, 1, 1, 1, 64, 5]


def test_where_it_dies_while_nobody_listens_the_next_are_read_here(
    beside: Beside, folder: StorageFolder, digests: list[str]
) -> None:
    with closing(beside.look(APP, digests, ())) as answers:
        next(answers)
        process_of(beside).kill()
        process_of(beside).wait()
        cast("IO[bytes]", process_of(beside).stdout).read()
    assert beside._process is None
    assert plain(beside.look(APP, digests, ())) == plain(reader.read(folder, APP, digests, ()))


def test_where_it_dies_in_the_middle_the_rest_is_read_here(
    beside: Beside, folder: StorageFolder, digests: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), closing(beside.look(APP, digests, ())) as answers:
        first = [next(answers) for _ in range(3)]
        process = process_of(beside)
        process.kill()
        process.wait()
        assert plain(iter([*first, *answers])) == plain(reader.read(folder, APP, digests, ()))
    assert plain(beside.look(APP, digests, ())) == plain(reader.read(folder, APP, digests, ()))
    assert beside._process is None
    assert [record.message for record in caplog.records] == [
        "The process that reads the storage folder has ended; this one reads it from here on."
    ]


def test_where_it_cannot_be_had_the_folder_is_read_here(
    beside: Beside, folder: StorageFolder, digests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert plain(beside.look(APP, digests, ())) == plain(reader.read(folder, APP, digests, ()))


def test_closing_ends_it(beside: Beside, digests: list[str]) -> None:
    list(beside.look(APP, digests, ()))
    process = process_of(beside)
    beside.close()
    assert process.returncode == -signal.SIGKILL


def test_it_ends_with_a_parent_that_is_killed(storage: StorageLayout, digests: list[str]) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(storage.root), str(APP), *digests], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + PATIENCE
    while is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


_PARENT: Final = """
import sys, time
from catalog.scanning.beside import Beside
from oci.storage import StorageFolder
beside = Beside(StorageFolder(sys.argv[1]))
next(beside.look(sys.argv[2], sys.argv[3:], ()))
print(beside._process.pid, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    """A zombie, which nobody has buried yet, is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_knows_a_folder_that_was_replaced_before_it_began(
    storage: StorageLayout, folder: StorageFolder, beside: Beside, digests: list[str]
) -> None:
    shutil.move(storage.root, storage.root.with_name("elsewhere"))
    (storage.root / "docker/registry/v2/repositories").mkdir(parents=True)
    (answer,) = beside.look(APP, digests[:1], ())
    assert isinstance(answer, StorageFault)
    assert "was taken away or replaced" in str(answer)
    assert process_of(beside).poll() is None


def test_records_speak_in_the_words_of_the_rows() -> None:
    """They are plain, since Django is not loaded where they are made."""
    entries = [
        {"platform": {"os": "linux", "architecture": "amd64"}},
        {"platform": {"os": "unknown", "architecture": "unknown"}},
        {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
    ]
    child = {"mediaType": OCI_MANIFEST, "digest": ABSENT, "size": 1}
    index = record({"mediaType": OCI_INDEX, "manifests": [{**child, **entry} for entry in entries]})
    assert (index.kind, index.children) == (Manifest.Kind.INDEX, [ABSENT] * 3)
    assert [entry.role for entry in index.entries] == ["platform", "other", "attestation"]
    assert {entry.role for entry in index.entries} == set(IndexEntry.Role.values)
    assert record({"schemaVersion": 1}).kind == Manifest.Kind.SCHEMA1
    assert record([]).kind == Manifest.Kind.MALFORMED
    assert ConfigRecord.of(b"{}").state == Manifest.ConfigState.READ
    assert ConfigRecord.of(b"[]").state == Manifest.ConfigState.MALFORMED


def record(document: object) -> ManifestRecord:
    content = json.dumps(document).encode()
    return ManifestRecord.of(Fetched(Digest.of(content), "", content))
