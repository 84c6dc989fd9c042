from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registries.models import Registry
from tests.catalog.arrivals.station import Station, basic
from tests.ear import Ear
from tests.real_registry import PASSWORD, USERNAME, RealRegistry, generations_in_turn


@pytest.fixture(params=generations_in_turn())
def station(request: pytest.FixtureRequest, tmp_path: Path, db: None) -> Iterator[Station]:
    """A registry of this test's own that knows who asks, as `alice`."""
    with Ear() as ear, RealRegistry(tmp_path, request.param, htpasswd=True, settings=ear.settings()) as real:
        row = Registry.objects.create(name="test", url=real.url, username=USERNAME, password=PASSWORD)
        yield Station(real, row, ear, basic())
