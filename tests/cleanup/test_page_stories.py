"""What staff do on the pages of cleanup, at real registries, from the preview to the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from access.models import User
from cleanup.models import ClassicRun
from jobs import running
from jobs.models import Job
from registries.models import Registry
from tests.cleanup.classic import scanned
from tests.cleanup.switched import Switched, delete, is_whole, written
from tests.cleanup.untagging import age
from tests.pushing import Pusher
from tests.tagging.acting import Actor
from tests.web.pages import Page

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def browser(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def worked_off() -> None:
    """As a worker does it."""
    running.run_here(Job.objects.unfinished().get().pk)


def test_untagged_manifests_are_previewed_looked_at_and_deleted(actor: Actor, browser: Client) -> None:
    child = actor.push.image(seed="child")
    actor.push.index("1.0", children=[child])
    alone = actor.push.image(seed="alone")
    actor.scan()
    age(actor)

    begun = browser.post("/cleanup/untagged/begin", {"registry": "test", "grace_hours": "24", "how": "plan"})
    worked_off()
    page = Page(browser.get(begun["Location"]).content.decode())

    assert "This is a plan: nothing was changed yet." in page.words
    assert alone in [found.get("title") for found in page.all("span")] or f"/manifests/{alone}" in "".join(page.links)
    assert "all that lies in the storage folder" in page.words
    assert actor.gets(alone)

    browser.post(f"{begun['Location']}/carry-on")
    worked_off()
    said = Page(browser.get(begun["Location"]).content.decode()).words

    assert "Deleted: 1 of 1." in said
    assert "Look in the trash" in said
    assert (actor.gets(alone), actor.gets(child), actor.pulls("1.0")) == (False, True, True)


def test_garbage_is_looked_at_and_collected(
    switched: Switched, browser: Client, tmp_path: Path, settings: Settings
) -> None:
    push = Pusher(switched.url, "team/app")
    doomed = push.image(seed="doomed", layers=[b"doomed"])
    row = Registry.objects.create(name="main", url=switched.url)
    scanned(row)
    delete(switched.url, "team/app", doomed)
    scanned(row)
    settings.CLEANUP_COMMANDS = [written(tmp_path / "own/commands.toml", switched.way())]
    before = switched.blobs()

    begun = browser.post("/cleanup/commands/begin", {"registry": "main", "how": "plan"})
    worked_off()
    said = Page(browser.get(begun["Location"]).content.decode()).words

    assert "Would be removed 3" in said
    assert switched.blobs() == before
    assert "read-only-on" not in {step.kind for step in ClassicRun.objects.get().steps.all()}

    browser.post(f"{begun['Location']}/carry-on", {"sure": "1"})
    worked_off()
    said = Page(browser.get(begun["Location"]).content.decode()).words

    assert "Removed 3" in said
    assert "the registry takes pushes again" in said
    assert len(before - switched.blobs()) == 3
    assert switched.takes_uploads()
    assert is_whole(switched.url, "team/app", "kept")
