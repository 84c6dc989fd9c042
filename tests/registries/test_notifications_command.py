"""The command `notifications`; with real registries, tests/api/test_event_setup.py has it too."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from audit.models import EventStream
from registries import environment, event_secrets
from registries.models import Registry
from tests.web import furniture as make

pytestmark = pytest.mark.django_db(databases="__all__")


def run(*words: str) -> tuple[str, int]:
    """What it said, and its exit status."""
    out = io.StringIO()
    try:
        call_command("notifications", *words, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def read(*words: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(run(*words, "--json")[0])
    return said


@pytest.fixture
def local(db: None) -> Registry:
    return make.registry("local")


def test_without_a_word_it_prints_the_block(local: Registry) -> None:
    said, status = run()
    assert status == 0
    assert 'url: "http://127.0.0.1:8000/api/v1/events/local"' in said
    assert 'Authorization: ["Bearer THE-SECRET"]' in said
    assert "--new-secret issues one" in said
    assert event_secrets.live(local) == []


def test_all_but_the_block_is_comment(local: Registry) -> None:
    """So that what is printed can go into a file as it is."""
    said, _ = run("--new-secret")
    outside = [line for line in said.splitlines() if line and not line.startswith(("#", " ", "notifications:"))]
    assert outside == []


@pytest.mark.parametrize(
    ("generation", "option", "met"), [(2, [], 2), (None, [], 3), (2, ["--registry-version", "3"], 3)]
)
def test_the_block_is_for_the_version_that_was_met(
    local: Registry, generation: int | None, option: list[str], met: int
) -> None:
    Registry.objects.update(capabilities={"generation": generation})
    assert f"# distribution {'2.8' if met == 2 else '3'}\n" in run("local", *option)[0]


def test_a_new_secret_is_told_with_what_becomes_of_those_before(local: Registry) -> None:
    first = read("--new-secret")
    assert "only one" in first["live"]
    assert read("--new-secret")["live"] == "2 secrets are live now."
    third = read("--new-secret")
    assert third["live"].startswith("2 secrets are live now; the one of ")
    bearer = third["block"].partition('["')[2].partition('"]')[0]
    assert event_secrets.owner("local", bearer) == local.pk


def test_the_status_says_what_is_missing(local: Registry) -> None:
    said, status = run("--status")
    assert (status, "! No secret is live" in said) == (1, True)
    event_secrets.issue(local)
    assert "no event has come since" in run("--status")[0]
    now = timezone.now()
    EventStream.objects.create(
        registry_id=local.pk, first_at=now, last_at=now, handled_at=now + timedelta(seconds=1), instance="\x1b[2J"
    )
    said, status = run("--status")
    assert (status, "+ The registry has told Berth what happens" in said) == (0, True)
    assert "\x1b" not in said
    told = read("--status")
    assert (told["status"]["secrets"], told["status"]["lag_seconds"]) == (1, 1.0)
    assert [finding["mark"] for finding in told["findings"]] == ["ok"]


def test_it_has_to_be_said_which_registry(local: Registry) -> None:
    make.registry("other")
    with pytest.raises(CommandError, match="say which registry; there are: local, other"):
        run()
    with pytest.raises(CommandError, match="no registry is called nobody; there are: local, other"):
        run("nobody")
    with pytest.raises(CommandError, match="--url: An address begins with https:// or http://"):
        run("local", "--url", "ftp://berth")


@pytest.mark.parametrize(("embedded", "who"), [(True, "./run"), (False, "BERTH_REGISTRY_EVENTS_SECRET")])
def test_what_the_options_say_is_issued_nowhere_else(settings: Settings, who: str, *, embedded: bool) -> None:
    settings.REGISTRY_URL, settings.REGISTRY_EMBEDDED = "http://127.0.0.1:5999", embedded
    settings.REGISTRY_PLAIN_HTTP, settings.REGISTRY_EVENTS_SECRET = True, "s" * 43
    registry = environment.from_environment()
    assert registry is not None
    with pytest.raises(CommandError, match=f"{who} says the secret of {registry.name}"):
        run("--new-secret")
    said, _ = run()
    assert who in said
    assert "s" * 43 not in said
