"""A sweep from its terms to its end, as staff see it through the pages, of a real registry that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from cleanup.models import Sweep, SweepTerms
from jobs import running
from jobs.models import Job
from tests.cleanup.ground import SweptRegistry
from tests.real_registry import RealRegistry
from tests.web.pages import Page

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.any_database]

SAID = {"processes": "one", "cache": "none", "grace": "1 h", "settle": "0 s", "hold": "1 d", "when": "by-hand"}


@pytest.fixture
def registry(tmp_path: Path, transactional_db: None) -> Iterator[SweptRegistry]:
    with RealRegistry(tmp_path / "registry") as real:
        swept = SweptRegistry(real)
        SweepTerms.objects.all().delete()
        app = swept.push()
        app.image("kept", seed="kept")
        swept.delete("team/app", app.image(seed="old", layers=[b"old"]))
        swept.age()
        yield swept


def worked(client: Client, path: str) -> str:
    """What a page says when a worker has done what waits."""
    running.run(Job.objects.get(kind="sweep", state=Job.State.QUEUED).pk)
    return words(client, path)


def words(client: Client, path: str) -> str:
    return Page(client.get(path).content.decode()).words


def test_from_its_terms_to_its_end(staff_client: Client, registry: SweptRegistry, tmp_path: Path) -> None:
    before = registry.blobs
    assert "Nobody has said yet how many processes" in words(staff_client, "/cleanup")
    staff_client.post("/cleanup/sweeps/terms/main", SAID)
    assert "Plan a sweep" in words(staff_client, "/cleanup")

    page = staff_client.post("/cleanup/sweeps/begin", {"registry": "main", "how": "plan"})["Location"]
    assert "Waits for a worker" in words(staff_client, page)
    assert "Move 2 blobs aside" in worked(staff_client, page)
    assert registry.blobs == before

    staff_client.post(f"{page}/carry-on")
    assert "Put all back" in worked(staff_client, page)
    assert len(registry.aside) == 2
    assert "2 blobs lie aside" in words(staff_client, "/cleanup")

    staff_client.post(f"{page}/undo")
    assert "were put back as they were" in worked(staff_client, page)
    assert registry.blobs == before

    registry.age()
    page = staff_client.post("/cleanup/sweeps/begin", {"registry": "main", "how": "now"})["Location"]
    worked(staff_client, page)
    assert "2 blobs" in words(staff_client, f"{page}/delete-now")
    staff_client.post(f"{page}/delete-now")
    assert "2 blobs were deleted" in worked(staff_client, page)
    assert len(before) - len(registry.blobs) == 2
    registry.pull_all(tmp_path / "pulled", ["team/app:kept"])
    assert set(Sweep.objects.values_list("state", flat=True)) == {"done"}
