"""A source that does its worst, rows that go while a run is under way: one image ends, never a run without a word."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from jobs.models import Job
from oci.transfer.selection import Selection
from registries.models import Registry
from sync.models import Item, Run
from tests.hostile import Reply
from tests.oci.transfer.serving import digest_of
from tests.pushing import OCI_INDEX
from tests.real_registry import RealRegistry
from tests.sync.hub import Hub
from tests.sync.syncing import NAME, Syncing, ends, job_of, notes
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
OTHER = "library/other"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        hub.pulls_left = None
        yield hub


@pytest.fixture
def syncing(hub: Hub, target: RealRegistry, transactional_db: None) -> Syncing:
    syncing = Syncing(hub.url, target.url, make.person("mara", staff=True))
    Registry.objects.filter(pk=syncing.source.pk).update(realm=hub.realm)
    return syncing


def test_tags_that_cannot_be_listed_any_more_end_their_repository_alone(hub: Hub, syncing: Syncing) -> None:
    for name in (NAME, OTHER):
        hub.image(name, "1.0", layers=(name.encode(),))
    run = syncing.plan(syncing.rule(repositories=(NAME, OTHER)))
    hub.registry.on("GET", f"/v2/{NAME}/tags/list", Reply.errors(403, "DENIED"))

    run = syncing.carry_on(run)

    said = Item.objects.filter(run=run).values_list("source_repository", "state")
    assert dict(said) == {NAME: "failed", OTHER: "done"}
    assert run.state == Run.State.DONE


def test_tags_that_cannot_be_listed_now_make_the_run_wait(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0")
    run = syncing.plan(syncing.rule())
    hub.registry.on("GET", f"/v2/{NAME}/tags/list", Reply.errors(429, "TOOMANYREQUESTS", Retry_After="3600"))

    run = syncing.carry_on(run)

    assert (run.state, job_of(run).state) == (Run.State.WAITING, Job.State.DONE)
    assert ends(run) == {"1.0": "copy planned"}


def test_what_nobody_foresaw_ends_an_image_alone(hub: Hub, syncing: Syncing) -> None:
    """Half a character, in a part of an index that nobody reads, but that has to be written again."""
    child = hub.image(NAME, "2.0")
    other = hub.image(NAME, layers=(b"other",))
    serve_index(hub, "1.0", (child, other), odd="\ud800")

    run = syncing.run(syncing.rule(selection=Selection(("linux/arch0",))))

    assert ends(run) == {"1.0": "copy failed", "2.0": "copy done"}
    assert notes(run)["1.0"].startswith("Berth itself made a mistake")
    assert run.state == Run.State.DONE


def serve_index(hub: Hub, tag: str, children: tuple[str, ...], **parts: object) -> None:
    """As the hub's own, with parts of its own."""
    digest = hub.index(NAME, tag, children=children)
    asked = f"/v2/{NAME}/manifests/"
    content = hub.content(NAME, digest)
    odd = json.dumps(json.loads(content) | parts).encode()
    reply = Reply(200, odd, {"Content-Type": OCI_INDEX, "Docker-Content-Digest": digest_of(odd)})
    for method in ("GET", "HEAD"):
        for target in (tag, digest_of(odd)):
            hub.registry.on(method, f"{asked}{target}", reply)
