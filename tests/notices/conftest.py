from __future__ import annotations

import pytest
from pytest_django import Settings

from notices.targets import Allowed


@pytest.fixture
def loopback(settings: Settings) -> None:
    """The targets of tests are on this machine."""
    settings.NOTICE_PRIVATE_TARGETS = Allowed.parse(["127.0.0.1"])
