"""`./run manage cleanupcommands` and `garbagecollect`."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from cleanup.classic.templates import TEMPLATES
from cleanup.classic.ways import read
from registries.models import Registry
from tests.cleanup.switched import written

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("kind", sorted(TEMPLATES))
def test_each_template_is_a_file_that_is_understood(kind: str, tmp_path: Path, settings: Settings) -> None:
    printed, told = StringIO(), StringIO()
    call_command("cleanupcommands", kind, stdout=printed)
    path = written(tmp_path / "own/commands.toml")
    path.write_text(printed.getvalue())
    settings.CLEANUP_COMMANDS = [path]

    call_command("cleanupcommands", stdout=told)

    (way,) = read(path).values()
    assert told.getvalue().startswith(f"{way.address}\n  read-only on: ")
    assert way.dry_run.argv == (*way.collect.argv, "--dry-run")
    assert "--delete-untagged" not in told.getvalue()
    assert max(map(len, printed.getvalue().splitlines())) <= 120


def test_what_is_wrong_with_the_files_is_said(tmp_path: Path, settings: Settings) -> None:
    settings.CLEANUP_COMMANDS = [tmp_path / "none.toml"]
    with pytest.raises(CommandError, match=r"none\.toml cannot be read: No such file"):
        call_command("cleanupcommands")

    settings.CLEANUP_COMMANDS = []
    with pytest.raises(CommandError, match="names no file"):
        call_command("cleanupcommands")


@pytest.mark.django_db
def test_a_registry_without_commands_is_not_swept(settings: Settings) -> None:
    settings.CLEANUP_COMMANDS = []
    Registry.objects.create(name="main", url="https://registry.example.org")

    with pytest.raises(CommandError, match=r"No commands are set up for main: docs/cleanup-classic\.md says how"):
        call_command("garbagecollect", "main")
    with pytest.raises(CommandError, match="no registry of ours is called other"):
        call_command("garbagecollect", "other")
