"""The furniture of the pages' tests: the API shows the same rows."""

from __future__ import annotations

import pytest

from catalog.models import Repository
from registries.models import Registry
from tests.web import furniture as make
from tests.web.conftest import (
    berth,
    client,
    context,
    local,
    quick_passwords,
    reader,
    staff,
    staff_client,
    static_files,
    visit,
)

__all__ = [
    "berth",
    "client",
    "context",
    "local",
    "quick_passwords",
    "reader",
    "staff",
    "staff_client",
    "static_files",
    "visit",
]


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")
