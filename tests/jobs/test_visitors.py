from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.conf import LazySettings

from jobs import visitors


@pytest.fixture(autouse=True)
def noted(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DATA = tmp_path
    monkeypatch.setattr(visitors, "_noted", float("-inf"))
    return tmp_path / "visited"


def test_who_waits_for_a_page_is_here_for_a_moment(noted: Path) -> None:
    assert not visitors.are_here()

    visitors.note()
    assert visitors.are_here()

    past = time.time() - 1
    os.utime(noted, (past, past))
    assert not visitors.are_here()


def test_a_clock_that_was_set_back_makes_nobody_stay(noted: Path) -> None:
    noted.touch()
    future = time.time() + 3600
    os.utime(noted, (future, future))

    assert not visitors.are_here()


def test_it_is_noted_as_often_as_it_helps(noted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "_noted", time.monotonic() + 60)
    visitors.note()
    assert not noted.exists()

    monkeypatch.setattr(visitors, "_noted", time.monotonic() - 0.06)
    visitors.note()
    assert noted.exists()


def test_a_folder_that_takes_no_files_stops_nobody(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path / "absent"
    visitors.note()

    assert not visitors.are_here()
