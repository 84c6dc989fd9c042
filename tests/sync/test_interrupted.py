"""A worker that is asked to end, or dies, while images are on their way: only a death counts as a try of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection

from jobs import ending, running
from jobs.models import Job
from sync import services
from sync.models import Item, Run
from tests.hostile import Asked, Hostile, Reply
from tests.oci.transfer.serving import blob_path, serve
from tests.real_registry import RealRegistry
from tests.sync.syncing import Syncing, digest_at, meanwhile, notes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
PIECE = 256 * 1024  # bytes
LAYER = os.urandom(16 * PIECE)


class Slow(Reply):
    """A piece after the other, `pause` seconds apart: for longer than a worker may take to end."""

    def pieces(self, *, is_head: bool) -> list[bytes]:  # noqa: ARG002  as Reply's
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.body)}\r\n\r\n".encode()
        return [head, *(self.body[start : start + PIECE] for start in range(0, len(self.body), PIECE))]


@pytest.fixture(autouse=True)
def _nobody_asks() -> Iterator[None]:
    yield
    ending._asked[0] = 0


@pytest.fixture
def run(odd: Syncing, upstream: Hostile) -> Run:
    """Planned, and to copy one image."""
    serve(upstream, "1.0", layers=[LAYER])
    upstream.on("GET", "/v2/team/app/tags/list", Reply.json({"name": "team/app", "tags": ["1.0"]}))
    return odd.plan(odd.rule(repositories=("team/app",), into="mirror/library/app"))


def when_it_is_asked_for(upstream: Hostile, happens: Callable[[], object]) -> None:
    def answer(_: Asked) -> Reply:
        meanwhile(happens)
        return Slow(200, LAYER, pause=0.4)

    upstream.on("GET", blob_path(LAYER), answer)


def test_a_restart_counts_as_no_try_and_leaves_no_upload(
    odd: Syncing, upstream: Hostile, target: RealRegistry, run: Run
) -> None:
    when_it_is_asked_for(upstream, ending.ask)
    job = services.carry_on(run, odd.person, here=True)
    for _ in range(2):
        ending._asked[0] = 0
        running.run_here(job.pk)
        item = Item.objects.get()
        assert (item.state, item.tries) == (Item.State.PLANNED, 0)
        job.refresh_from_db()
        assert (job.state, job.attempts) == (Job.State.QUEUED, 0)
        assert not list(target.storage.glob("**/_uploads/*/startedat"))
        assert not digest_at(odd.there, "1.0")

    ending._asked[0] = 0
    upstream.on("GET", blob_path(LAYER), Reply(200, LAYER))
    running.run_here(job.pk)

    item = Item.objects.get()
    assert (item.state, item.tries, item.after) == (Item.State.DONE, 1, digest_at(odd.there, "1.0"))


def test_a_restart_takes_back_no_death(odd: Syncing, upstream: Hostile, run: Run) -> None:
    """Or what kills each worker would be tried for ever, as long as somebody restarts them often enough."""
    Item.objects.update(state=Item.State.BEGUN, tries=2)
    when_it_is_asked_for(upstream, ending.ask)

    running.run_here(services.carry_on(run, odd.person, here=True).pk)

    item = Item.objects.get()
    assert (item.state, item.tries) == (Item.State.PLANNED, 2)


def test_what_has_killed_three_workers_is_given_up(odd: Syncing, run: Run) -> None:
    Item.objects.update(state=Item.State.BEGUN, tries=3)

    odd.carry_on(run)

    assert Item.objects.get().state == Item.State.PARKED
    assert notes(run) == {"1.0": "it was tried 3 times, and never came to its end"}


def test_a_database_that_fails_is_no_try_of_an_image(odd: Syncing, upstream: Hostile, run: Run) -> None:
    """It was locked for too long, or away; what was under way is not to blame."""
    begun = Event()
    when_it_is_asked_for(upstream, begun.set)
    job = services.carry_on(run, odd.person, here=True)

    def fails_once(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if begun.is_set() and sql.startswith('UPDATE "jobs_job"'):
            begun.clear()
            raise OperationalError("database is locked")
        return execute(sql, *rest)

    with connection.execute_wrapper(fails_once):
        running.run_here(job.pk)

    item = Item.objects.get()
    assert (item.state, item.tries) == (Item.State.PLANNED, 0)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.QUEUED, 1)
