"""`./run manage verify`: what it says, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cleanup.models import Check
from tests.cleanup.checking import REPOSITORY, Checking
from tests.real_registry import RealRegistry

pytestmark = pytest.mark.any_database


@pytest.fixture
def registry(tmp_path: Path, transactional_db: None) -> Iterator[Checking]:
    with RealRegistry(tmp_path) as real:
        checking = Checking(real)
        checking.push.image("1.0", seed="one")
        checking.scan()
        yield checking


def verify(*options: str) -> tuple[str, str]:
    said, told = StringIO(), StringIO()
    call_command("verify", *options, stdout=said, stderr=told)
    return said.getvalue(), told.getvalue()


def test_a_whole_registry_ends_well(registry: Checking) -> None:
    assert verify("test", "--deep", "--quiet") == ("", "All 1 tags that were looked at are whole.\n")
    check = Check.objects.get()
    assert (check.is_deep, check.actor) == (True, "")


def test_what_is_broken_is_said_and_ends_with_1(registry: Checking) -> None:
    digest = registry.push.image("1.0", seed="one")
    config, _ = registry.parts(digest)
    registry.lose(config)
    said = StringIO()
    with pytest.raises(CommandError) as ended:
        call_command("verify", "test", "--sample", "3", stdout=said, stderr=StringIO())
    assert ended.value.returncode == 1
    assert str(ended.value) == "Of 1 tags 1 are broken, and 0 could not be asked for."
    assert said.getvalue() == f"{REPOSITORY}:1.0: Its config is missing: {config[7:19]} is not there\n"


@pytest.mark.parametrize(
    "options", [("nowhere",), ("test", "--sample", "0"), ("test", "--repository", "../up")], ids=str
)
def test_what_cannot_be_begun_ends_with_2(registry: Checking, options: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as ended:
        verify(*options)
    assert ended.value.returncode == 2
    assert not Check.objects.exists()
