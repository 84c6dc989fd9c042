"""What Docker Hub does: quota, tokens, signed addresses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs import running
from registries.models import Registry
from sync import services
from sync.models import Run
from tests.sync.hub import Hub
from tests.sync.syncing import NAME, Syncing, digest_at, ends, job_of, notes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


@pytest.fixture
def syncing(from_hub: Syncing) -> Syncing:
    return from_hub


def test_blobs_come_from_signed_addresses_without_a_credential(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0", layers=(b"x" * 700_000, b"small"))

    run = syncing.run(syncing.rule())

    assert ends(run) == {"1.0": "copy done"}, notes(run)
    assert len(hub.cdn.asked()) == 3
    assert all(asked.headers["Authorization"] is None for asked in hub.cdn.asked())
    assert all("signature=secret" in asked.target for asked in hub.cdn.asked())


def test_what_is_left_of_the_quota_is_told_and_unchanged_tags_cost_none(hub: Hub, syncing: Syncing) -> None:
    child = hub.image(NAME, layers=(b"child",))
    hub.index(NAME, "1.0", children=(child,))
    rule = syncing.rule()

    first, left = syncing.run(rule), hub.pulls_left
    second = syncing.run(rule)

    assert left == 98, "the index and its child"
    assert hub.pulls_left == 98
    assert (first.quota_left, first.quota_limit, first.pulls_spent) == (98, 100, 2)
    assert second.unchanged == 1


def test_a_floor_of_the_quota_is_kept_and_the_rest_comes_when_there_is_more(hub: Hub, syncing: Syncing) -> None:
    for number in range(20):
        hub.image(NAME, f"1.{number}", layers=(f"layer {number}".encode(),))
    Registry.objects.filter(pk=syncing.source.pk).update(quota_floor=10)
    hub.pulls_left = 16

    run = syncing.run(syncing.rule())

    assert run.state == Run.State.WAITING
    assert run.resumes_at is not None
    assert run.resumes_at > timezone.now() + timedelta(minutes=10)
    done = [tag for tag, end in ends(run).items() if end == "copy done"]
    assert 6 <= len(done) <= 16
    assert hub.pulls_left is not None
    hub.pulls_left = 100
    services.queue_due(run.resumes_at)
    run = syncing.carry_on(run)
    assert run.state == Run.State.DONE
    assert set(ends(run).values()) == {"copy done"}
    assert len(hub.asked("GET", "manifests")) == 20, "each was pulled once"


def test_a_quota_that_is_used_up_makes_the_run_wait_as_long_as_it_is_told(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0")
    hub.pulls_left = 0
    Registry.objects.filter(pk=syncing.source.pk).update(quota_floor=0)
    rule = syncing.rule()
    hub.pulls_left = 1  # what a HEAD tells
    run = syncing.plan(rule)
    hub.pulls_left = 0

    run = syncing.carry_on(run)

    assert run.state == Run.State.WAITING
    assert run.resumes_at is not None
    assert timedelta(minutes=14) < run.resumes_at - timezone.now() <= timedelta(hours=1)
    assert ends(run) == {"1.0": "copy planned"}
    assert not digest_at(syncing.there, "1.0")
    assert "goes on by itself" in job_of(run).message


def test_tokens_are_renewed_before_they_end(hub: Hub, syncing: Syncing) -> None:
    """A life of 300 seconds is enough for many requests: it is not fetched for each."""
    for number in range(10):
        hub.image(NAME, f"1.{number}", layers=(f"layer {number}".encode(),))

    run = syncing.run(syncing.rule())

    assert set(ends(run).values()) == {"copy done"}
    assert hub.tokens <= 4


def test_a_plan_spends_no_pull_unless_somebody_wants_it_weighed(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0", layers=(b"x" * 5_000,))
    run = syncing.plan(syncing.rule())

    assert (run.size, run.pulls, hub.pulls_left) == (None, None, 100)
    running.run_here(services.weigh(run, syncing.person).pk)
    run.refresh_from_db()
    assert run.size is not None
    assert run.size > 5_000
    assert (run.state, run.pulls, hub.pulls_left) == (Run.State.PLANNED, 1, 99)
    run = syncing.carry_on(run)
    assert (ends(run), hub.pulls_left) == ({"1.0": "copy done"}, 99)
