"""From an empty page to images that stand: a rule is set up, tried, carried out, told of and taken back, by pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client

from jobs import running
from registries.models import Registry
from sync.models import Run
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.sync.syncing import digest_at
from tests.web import furniture as make
from tests.web.pages import Page

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

SAID = {
    "name": "app",
    "source": "upstream",
    "repositories": "library/app",
    "target": "ours",
    "into": "mirror/{name}",
    "allow": "1.*",
    "newest_by": "version",
    "shape": "rewritten",
    "attached": ["signature", "attestation", "sbom", "other"],
    "attestations": "on",
    "moved": "overwrite",
    "backup": "{tag}-old",
    "when": "by-hand",
}


@pytest.fixture
def registries(tmp_path: Path) -> Iterator[tuple[Pusher, Pusher]]:
    cache.clear()
    with RealRegistry(tmp_path / "source") as source, RealRegistry(tmp_path / "target") as target:
        make.registry("upstream", url=source.url, plain_http=True, role=Registry.Role.SOURCE)
        make.registry("ours", url=target.url, plain_http=True)
        yield Pusher(source.url, "library/app"), Pusher(target.url, "mirror/app")


def words(client: Client, url: str) -> str:
    return Page(client.get(url).content.decode()).words


def carried_out(client: Client, url: str) -> str:
    """What the page of a run says after somebody pressed the button at `url`, and a worker came."""
    address = client.post(url).headers["Location"]
    run = Run.objects.get(pk=address.rpartition("/")[2])
    assert run.job_id is not None
    running.run(run.job_id)
    return words(client, address)


def test_a_rule_from_its_form_to_what_stands(registries: tuple[Pusher, Pusher], staff_client: Client) -> None:
    there, here = registries
    there.image("1.0", seed="a")
    there.image("2.0", seed="b")

    tried = staff_client.post("/sync/rules/add", {**SAID, "try": "ask"}, headers={"HX-Request": "true"})
    assert "1 tag in, 1 out" in Page(tried.content.decode()).words
    rule = staff_client.post("/sync/rules/add", SAID).headers["Location"]

    planned = carried_out(staff_client, f"{rule}/plan")
    assert "This is a plan: nothing was changed yet." in planned
    assert "Copy 1 image" in planned
    assert "1 tag of the source Out:1 fits no pattern 2.0" in planned
    assert digest_at(here, "1.0") == ""

    run = Run.objects.get()
    copied = carried_out(staff_client, f"{run.get_absolute_url()}/carry-on")
    assert "Done 1 copied, 0 unchanged." in copied
    assert "Copied" in copied
    assert digest_at(here, "1.0") == digest_at(there, "1.0")
    assert "1.0 mirror/app" in words(staff_client, rule)

    there.image("1.0", seed="c")
    before = digest_at(here, "1.0")
    assert "Point back" in carried_out(staff_client, f"{rule}/run")
    assert digest_at(here, "1.0") == digest_at(there, "1.0") != before
    assert "Copying by the rule app" in words(staff_client, "/jobs")
    told = words(staff_client, "/activity")
    assert "set up the sync rule app" in told
    assert "copied mirror/app:1.0 from upstream/library/app" in told


def test_a_source_that_is_away_is_told_and_begun_anew(registries: tuple[Pusher, Pusher], staff_client: Client) -> None:
    Registry.objects.filter(name="upstream").update(url="http://127.0.0.1:1")
    rule = staff_client.post("/sync/rules/add", SAID).headers["Location"]

    text = carried_out(staff_client, f"{rule}/run")

    assert "Broken off It could not be planned, and nothing was changed" in text
    assert "Go on with the rest" not in text
    job = Run.objects.get().job
    assert job is not None
    assert "What was not copied is as it was." in words(staff_client, f"/jobs/{job.pk}")
    assert Run.objects.get().get_absolute_url() in Page(staff_client.get(f"/jobs/{job.pk}").content.decode()).links
