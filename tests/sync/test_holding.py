"""Two runs never write one tag at once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connections

from jobs import running
from jobs.models import Job
from sync import services
from sync.models import Item, PlannedManifest, Run, Synced, TagHold
from tests.hostile import Hostile
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.sync.syncing import NAME, Syncing, digest_at, ends, notes
from tests.tagging.gate import Gate
from tests.web import furniture as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gate(source: RealRegistry, upstream: Hostile) -> Gate:
    """What stands before the source, and at which something may happen meanwhile."""
    return Gate(upstream, source)


@pytest.fixture
def syncing(source: RealRegistry, target: RealRegistry, gate: Gate, transactional_db: None) -> Syncing:
    syncing = Syncing(gate.url, target.url, make.person("mara", staff=True))
    syncing.push = Pusher(source.url, NAME)
    return syncing


def elsewhere(happens: Callable[[], object]) -> Callable[[], None]:
    """In a thread of its own, to its end."""

    def work() -> None:
        try:
            happens()
        finally:
            connections.close_all()

    def run() -> None:
        thread = Thread(target=work)
        thread.start()
        thread.join()

    return run


def test_the_second_lets_the_first_end(syncing: Syncing, gate: Gate) -> None:
    syncing.push.image("1.0", seed="a")
    second, rule = syncing.plan(syncing.rule("other")), syncing.rule()
    PlannedManifest.objects.all().delete()
    seen: list[Run] = []
    gate.meanwhile("GET", elsewhere(lambda: seen.append(syncing.carry_on(second))), after=2)

    first = syncing.run(rule)

    assert ends(first) == {"1.0": "copy done"}
    assert len(seen) == 1
    assert ends(seen[0]) == {"1.0": "copy skipped"}
    assert notes(seen[0])["1.0"] == "another run is writing it"
    assert not TagHold.objects.exists()


def test_what_a_dead_run_holds_is_anybodys(syncing: Syncing) -> None:
    syncing.push.image("1.0", seed="a")
    dead, job = services.begin(syncing.rule("dead"), syncing.person)
    TagHold.objects.create(registry=syncing.target, repository=f"mirror/{NAME}", tag="1.0", run=dead)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED)

    run = syncing.run(syncing.rule())

    assert ends(run) == {"1.0": "copy done"}
    assert not TagHold.objects.exists()


def test_a_frozen_worker_puts_no_tag_when_it_wakes(syncing: Syncing, gate: Gate) -> None:
    """Its lease was given to another, who has copied something newer by then."""
    old = syncing.push.image("1.0", seed="old")
    run, job = services.begin(syncing.rule(), syncing.person, here=True)
    theirs: list[str] = []

    def steal() -> None:
        Job.objects.filter(pk=job.pk).update(fence=99)
        theirs.append(syncing.there.image("1.0", seed="newer"))

    gate.meanwhile("GET", elsewhere(steal), after=2)

    running.run_here(job.pk)

    assert digest_at(syncing.there, "1.0") == theirs[0] != old
    assert Item.objects.get(run=run).state == Item.State.BEGUN, "it wrote nothing more"
    assert not Synced.objects.exists()
