"""Real registries, set up as Berth says they should be, tell a Berth behind a real port what happens."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from audit.models import Delivery
from catalog.event_trial import let_tell
from oci.events import Event, parse_envelope
from registries import event_secrets
from registries.models import Registry
from tests.catalog.scanning import scan
from tests.pushing import Pusher
from tests.real_registry import RealRegistry, generations_in_turn
from tests.registry_ui.processes import eventually
from tests.web.served import served

pytestmark = [
    pytest.mark.sampled(3),
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.long,
    pytest.mark.any_database,
]


@pytest.fixture
def origin(transactional_db: None) -> Iterator[str]:
    with served() as origin:
        yield origin


@pytest.fixture(params=generations_in_turn())
def theirs(request: pytest.FixtureRequest, tmp_path: Path) -> RealRegistry:
    """A registry that runs when a test starts it, and may be started anew."""
    return RealRegistry(tmp_path, request.param)


@pytest.fixture
def row(transactional_db: None, theirs: RealRegistry) -> Registry:
    return Registry.objects.create(name="theirs", url=theirs.url, plain_http=True)


def run(*words: str) -> tuple[str, int]:
    """What the command said, and its exit status."""
    out = io.StringIO()
    try:
        call_command("notifications", *words, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def set_up(theirs: RealRegistry, origin: str, form: str = "block") -> dict[str, Any]:
    """As a person does who issues a secret and copies what is shown then."""
    version = theirs.generation[0]
    said, status = run("theirs", "--new-secret", "--url", origin, "--registry-version", version, "--json")
    assert status == 0
    told: dict[str, Any] = json.loads(said)
    theirs.added, theirs.variables = (told["block"], "") if form == "block" else ("", told["variables"])
    return told


def told(registry: Registry) -> list[Event]:
    bodies = Delivery.objects.filter(registry_id=registry.pk).order_by("pk").values_list("body", flat=True)
    return [event for body in bodies for event in parse_envelope(bytes(body))[0]]


@pytest.mark.parametrize("form", ["block", "variables"])
def test_what_is_printed_is_all_that_a_registry_needs(
    theirs: RealRegistry, row: Registry, origin: str, form: str
) -> None:
    set_up(theirs, origin, form)
    with theirs:
        pushed = Pusher(theirs.url, "team/app").image("1.0")

        assert eventually(lambda: any(str(event.digest) == pushed for event in told(row)))
    push = next(event for event in told(row) if str(event.digest) == pushed)
    assert (push.action, push.repository, push.tag) == ("push", "team/app", "1.0")
    assert b'"references"' in push.raw


def test_a_wrong_secret_is_found_out_and_cured(
    theirs: RealRegistry, row: Registry, origin: str, staff_client: Client
) -> None:
    set_up(theirs, origin)
    event_secrets.revoke(row, event_secrets.live(row)[0].pk)
    event_secrets.issue(row)
    with theirs:
        Pusher(theirs.url, "team/app").image("1.0")
        scan(row)
        said, status = run("theirs", "--test")
        assert (status, "does not show the secret" in said) == (1, True), said
        said, status = run("theirs", "--status")
        assert status == 1
        assert "! A caller at 127.0.0.1 does not show the secret" in said
        page = staff_client.get("/registries/theirs/events").content.decode()
        assert "A caller at 127.0.0.1 does not show the secret" in page
    assert told(row) == []

    set_up(theirs, origin)
    with theirs:
        said, status = run("theirs", "--test")
        assert (status, "he registry told of what Berth read there" in said) == (0, True), said
        response = staff_client.post("/registries/theirs/events/test", follow=True)
        assert "he registry told of what Berth read there" in response.content.decode()
    assert {event.action for event in told(row)} == {"pull"}


def test_a_registry_that_was_told_nothing_tells_nothing(theirs: RealRegistry, row: Registry, origin: str) -> None:
    with theirs:
        Pusher(theirs.url, "team/app").image("1.0")
        scan(row)
        assert let_tell(row, 2.0).cure == "Issue one first."
        event_secrets.issue(row)
        found = let_tell(row, 2.0)
        assert "told nothing for 2." in found.sentence
        assert "the block is not in its configuration" in found.cure


def test_where_nothing_is_to_be_read_a_test_says_so(theirs: RealRegistry, row: Registry, origin: str) -> None:
    set_up(theirs, origin)
    with theirs:
        said, status = run("theirs", "--test")
    assert (status, "nothing to read" in said) == (1, True)


def test_a_registry_that_is_away_cannot_be_tested(theirs: RealRegistry, row: Registry) -> None:
    event_secrets.issue(row)
    said, status = run("theirs", "--test")
    assert (status, "could not be asked" in said) == (1, True)
