from __future__ import annotations

from pathlib import Path

import pytest

from tests.certificates import SelfSigned


@pytest.fixture
def authority(tmp_path: Path) -> str:
    """A certificate, as PEM."""
    return SelfSigned.made(tmp_path).certificate.read_text()
