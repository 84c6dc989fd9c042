from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from registry_ui import env
from registry_ui.start import options

PAGE = (Path(__file__).resolve().parents[2] / "docs/settings.md").read_text()
ROW = re.compile(r"^\| `([A-Z_]+)`", re.MULTILINE)


@pytest.fixture(autouse=True)
def _everything_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.SECRET_KEY
    monkeypatch.setenv("BERTH_DATA", str(tmp_path))
    options.parse([])


def test_the_page_names_each_setting_once() -> None:
    assert sorted(ROW.findall(PAGE)) == sorted(env.READ)


def test_the_page_names_each_option() -> None:
    offered = set(re.findall(r"--[a-z-]+", options._parser().format_help())) - {"--help"}

    assert set(re.findall(r"`(--[a-z-]+)`", PAGE)) == offered
