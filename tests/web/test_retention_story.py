"""From an empty page to tags that are gone and come back: a policy is set up, tried, planned, agreed to and undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from access.models import User
from cleanup.models import Policy, RetentionRun
from jobs import running
from registries.models import Registry
from registries.probing import probe
from tests.real_registry import V2, RealRegistry
from tests.tagging.acting import Actor
from tests.web.pages import Page
from tests.web.retention_sent import typed
from tests.web.sync_sent import words

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

RELEASES = {"tags": "1.*", "newest_versions": "3", "line": "major"}
FIVE = {f"1.{number}" for number in range(5)}


@pytest.fixture
def ours(tmp_path: Path, staff: User) -> Iterator[Actor]:
    """Five versions, and what no rule speaks of."""
    with RealRegistry(tmp_path, V2) as real:
        row = Registry.objects.create(name="ours", url=real.url)
        probe(row)
        actor = Actor(real, row, staff)
        for tag in (*sorted(FIVE), "main"):
            actor.push.image(tag, seed=tag)
        actor.scan()
        yield actor


def worked(client: Client, url: str, **said: str) -> str:
    """What the page of a run says after somebody pressed a button at `url`, and a worker came."""
    address = client.post(url, said).headers["Location"]
    run = RetentionRun.objects.newest_first()[0]
    assert run.job_id is not None
    running.run(run.job_id)
    return words(client, address if "runs" in address else run.get_absolute_url())


def test_a_policy_from_its_form_to_the_trash_and_back(ours: Actor, staff_client: Client) -> None:
    form = typed(RELEASES, name="releases", registry="ours", repositories="team/*")
    tried = staff_client.post("/cleanup/policies/add", {**form, "try": "typed"}, headers={"HX-Request": "true"})
    assert "2 tags go, 4 stay" in Page(tried.content.decode()).words
    policy = staff_client.post("/cleanup/policies/add", form).headers["Location"]
    assert policy == Policy.objects.get().get_absolute_url()

    planned = worked(staff_client, "/cleanup/runs/begin", registry="ours", policy="releases")
    assert "This is a plan: nothing was changed yet." in planned
    assert "Delete 2 tags of ours?" in planned
    assert ours.listed() == FIVE | {"main"}

    run = RetentionRun.objects.get()
    url = run.get_absolute_url()
    asked = worked(staff_client, f"{url}/carry-on")
    assert "Repositories of which more than a fifth of the tags would go, or all: 1. Delete these 2 tags?" in asked
    assert ours.listed() == FIVE | {"main"}

    run.refresh_from_db()
    done = worked(staff_client, f"/jobs/{run.job_id}/answer", answer="yes")
    assert "2 tags deleted, 4 stay." in done
    assert ours.listed() == {"1.2", "1.3", "1.4", "main"}
    assert "1.0 team/app" in words(staff_client, f"{url}?end=deleted")

    plan = next(link for link in Page(staff_client.get(url).content.decode()).links if link.startswith("/plans/"))
    staff_client.post(f"{plan}/undo")
    assert ours.listed() == FIVE | {"main"}
    told = words(staff_client, "/activity")
    assert "set up the policy of retention releases" in told
    assert "retention, by the policy releases" in told


def test_a_registry_that_is_away_is_told_and_nothing_is_planned(ours: Actor, staff_client: Client) -> None:
    form = typed(RELEASES, name="releases", registry="ours", repositories="team/*")
    staff_client.post("/cleanup/policies/add", form)
    Registry.objects.update(url="http://127.0.0.1:1")

    text = worked(staff_client, "/cleanup/runs/begin", registry="ours")

    assert "Broken off The registry cannot be asked, and nothing was changed" in text
    run = RetentionRun.objects.get()
    assert "What was not deleted is as it was." in words(staff_client, f"/jobs/{run.job_id}")
    assert run.get_absolute_url() in Page(staff_client.get(f"/jobs/{run.job_id}").content.decode()).links
