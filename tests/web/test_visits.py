from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from jobs import visitors

pytestmark = pytest.mark.django_db


@pytest.fixture
def noted(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DATA = tmp_path
    monkeypatch.setattr(visitors, "_noted", float("-inf"))
    return tmp_path / "visited"


@pytest.mark.parametrize(
    ("path", "asked_by", "is_visit"),
    [
        ("/sign-in", {}, True),
        ("/", {}, True),
        ("/", {"HX-Request": "true"}, True),
        ("/jobs/1", {}, True),
        ("/jobs/1", {"HX-Request": "true"}, False),
        ("/api/v1/jobs", {}, True),
        ("/api/v1/jobs/1", {}, False),
        ("/api/v1/plans", {}, True),
        ("/api/v1/plans/1", {}, False),
        ("/healthz", {}, False),
        ("/readyz", {}, False),
    ],
)
def test_pages_are_visits_and_probes_and_progress_are_none(
    path: str, asked_by: dict[str, str], is_visit: bool, noted: Path
) -> None:
    Client().get(path, headers=asked_by)

    assert noted.exists() is is_visit
