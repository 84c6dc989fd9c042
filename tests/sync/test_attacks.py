"""A source that does its worst, rows that go while a run is under way: one image ends, never a run without a word."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from django.utils import timezone

from audit.models import Entry
from jobs import running
from jobs.models import Job
from oci.transfer.selection import Selection
from registries.models import Registry
from sync import rules, services
from sync.models import Item, Rule, Run, Synced, TagHold
from tests.hostile import Asked, Raw, Reply
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


def test_a_rule_that_is_removed_meanwhile_leaves_its_run_whole(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0", layers=(b"large" * 100_000,))
    rule = syncing.rule()
    run = syncing.plan(rule)

    def remove(asked: Asked) -> Reply | Raw:
        meanwhile(lambda: rules.remove(Rule.objects.get(pk=rule.pk), syncing.person))
        return hub._blob(asked)

    digest = digest_of(b"large" * 100_000)
    hub.cdn.on("GET", f"/{digest}", remove)

    run = syncing.carry_on(run)

    assert (run.state, run.rule_id) == (Run.State.DONE, None), job_of(run).message
    assert ends(run) == {"1.0": "copy done"}
    assert Synced.objects.get().rule_id is None


def test_each_try_is_in_the_activity(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0", layers=(b"lost",))
    path = f"/v2/{NAME}/blobs/{digest_of(b'lost')}"
    hub.registry.on("GET", path, Reply.errors(404, "BLOB_UNKNOWN"))
    run = syncing.run(syncing.rule())
    hub.registry.on("GET", path, Reply.redirect(f"{hub.cdn.url}/{digest_of(b'lost')}"))

    running.run_here(services.try_again(run, syncing.person).pk)

    assert ends(run) == {"1.0": "copy done"}
    told = Entry.objects.filter(act=Entry.Act.SYNC).order_by("pk").values_list("outcome", flat=True)
    assert list(told) == ["failed", "done"]


@pytest.mark.parametrize("broken", ["retired", "unreadable"])
def test_a_run_that_cannot_go_on_waits_no_more(hub: Hub, syncing: Syncing, broken: str) -> None:
    """Else it would be queued again with every minute, and fail for ever."""
    hub.image(NAME, "1.0")
    run = syncing.plan(syncing.rule())
    hub.registry.on("GET", f"/v2/{NAME}/tags/list", Reply.errors(429, "TOOMANYREQUESTS", Retry_After="3600"))
    run = syncing.carry_on(run)
    assert run.state == Run.State.WAITING
    harm = {"retired_at": timezone.now()} if broken == "retired" else {"ca": "no certificate"}
    Registry.objects.filter(pk=syncing.source.pk).update(**harm)

    run = syncing.carry_on(run)

    assert (run.state, job_of(run).state) == (Run.State.BROKEN_OFF, Job.State.FAILED)
    assert run.message == job_of(run).message
    assert run.resumes_at is None


def test_a_run_whose_worker_died_for_good_is_said_to_be_broken_off(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0")
    run = syncing.plan(syncing.rule())
    Run.objects.filter(pk=run.pk).update(state=Run.State.UNDER_WAY)
    TagHold.objects.create(registry=syncing.target, repository=f"mirror/{NAME}", tag="1.0", run=run)
    Job.objects.filter(pk=job_of(run).pk).update(state=Job.State.FAILED, message="Its worker died 5 times.")

    services.queue_due(timezone.now())

    run.refresh_from_db()
    assert (run.state, run.message) == (Run.State.BROKEN_OFF, "Its worker died 5 times.")
    assert not TagHold.objects.exists()
    assert syncing.carry_on(run).state == Run.State.DONE


def meanwhile(happens: Callable[[], object]) -> None:
    """In the thread of a registry, whose connection nobody else would close."""
    try:
        happens()
    finally:
        connections.close_all()
