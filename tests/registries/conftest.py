from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import SelfSigned
from tests.real_registry import RealRegistry


@pytest.fixture
def authority(tmp_path: Path) -> str:
    """A certificate, as PEM."""
    return SelfSigned.made(tmp_path).certificate.read_text()


@pytest.fixture(scope="package")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """Lets only USERNAME with PASSWORD in."""
    with RealRegistry(tmp_path_factory.mktemp("locked"), htpasswd=True) as registry:
        yield registry
