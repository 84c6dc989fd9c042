from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from registry_ui.start import keys
from registry_ui.start.errors import StartError


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    made = {name: file.read_text() for name, file in keys.prepare(tmp_path).items()}

    assert {name: file.read_text() for name, file in keys.prepare(tmp_path).items()} == made
    assert len(set(made.values())) == 4
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()} == {0o600}
    assert Fernet(made["credentials-key"])
    assert len(made["secret-key"]) >= 50


def test_a_key_that_others_could_read_is_closed(tmp_path: Path) -> None:
    file = keys.prepare(tmp_path)["secret-key"]
    file.chmod(0o644)

    keys.prepare(tmp_path)

    assert file.stat().st_mode & 0o777 == 0o600


def test_an_empty_key_is_not_silently_replaced(tmp_path: Path) -> None:
    file = keys.prepare(tmp_path)["credentials-key"]
    file.write_text("")

    with pytest.raises(StartError, match="credentials-key is empty: bring it back from a backup, or remove the file"):
        keys.prepare(tmp_path)


def test_nothing_but_keys_is_left_in_their_folder(tmp_path: Path) -> None:
    keys.prepare(tmp_path)

    assert {file.name for file in (tmp_path / "keys").iterdir()} == set(keys.MAKERS)
