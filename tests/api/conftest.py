"""The furniture of the pages' tests: the API shows the same rows."""

from __future__ import annotations

import pytest

from catalog.models import Repository
from registries.models import Registry
from tests.api.acting import Hand
from tests.tagging.acting import Actor
from tests.tagging.conftest import actor, gate, gated, own_registry
from tests.web import furniture as make
from tests.web.conftest import (
    berth,
    client,
    context,
    drawing,
    local,
    reader,
    staff,
    staff_client,
    static_files,
    visit,
)

__all__ = [
    "actor",
    "berth",
    "client",
    "context",
    "drawing",
    "gate",
    "gated",
    "local",
    "own_registry",
    "reader",
    "staff",
    "staff_client",
    "static_files",
    "visit",
]


@pytest.fixture
def hand(actor: Actor) -> Hand:
    """What the staff's scripts do, with the token that acting takes."""
    return Hand.of(actor.person)


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")
