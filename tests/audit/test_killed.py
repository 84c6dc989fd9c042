"""Whoever seals or folds is killed after every single write: no link is missing or doubled, and no pull."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.audit.killing import ENTRIES
from tests.catalog.apart import prepare
from tests.killing import told_by


def killed(folder: Path, work: str) -> list[dict[str, Any]]:
    prepare(folder / "data", "http://127.0.0.1:1")
    return told_by("tests.audit.killing", folder / "data", work)


def test_sealing(tmp_path: Path) -> None:
    kills = killed(tmp_path, "seal")

    assert len(kills) > 10
    for kill in kills:
        after, end = kill["after"], kill["end"]
        assert (after["broken"], after["sealed"] + after["waiting"], after["links"]) == (None, ENTRIES, after["sealed"])
        assert (end["broken"], end["sealed"], end["waiting"], end["links"]) == (None, ENTRIES, 0, ENTRIES)
    assert {kill["after"]["sealed"] for kill in kills} == {0, 500, 1_000, ENTRIES}


def test_three_seal_at_once(tmp_path: Path) -> None:
    (end,) = killed(tmp_path, "together")

    assert (end["broken"], end["sealed"], end["waiting"], end["links"]) == (None, ENTRIES, 0, ENTRIES)


def test_folding(tmp_path: Path) -> None:
    kills = killed(tmp_path, "fold")

    assert len(kills) > 10
    for kill in kills:
        after, end = kill["after"], kill["end"]
        assert (after["pulls"], end["pulls"], end["entries"]) == (ENTRIES, ENTRIES, 3)
        assert end["recorded"] == ["Entries of pulls counted together: 1,100. In their place: 3, of one day each."]
        assert end["broken"] is None
    assert {kill["after"]["entries"] for kill in kills} == {1_100, 603, 103, 3}
