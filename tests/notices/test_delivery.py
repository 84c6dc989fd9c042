"""Told until it is taken: retries, rests, and ends, with a real server at the other end."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, connections
from django.utils import timezone

from notices import delivery, pruning, services
from notices.models import Attempt, Notice, Subscription
from notices.policy import MOST_ATTEMPTS, WAITS
from tests.hostile import Hostile, Reply
from tests.notices import furniture as make
from tests.web import furniture as rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]
State = Notice.State


def heard(server: Hostile) -> list[str]:
    return [json.loads(asked.body)["id"] for asked in server.asked()]


def test_what_is_recorded_is_told_once(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(200, b"thanks"))
    to = make.recipient(hostile.url)
    found = [make.entry() for _ in range(3)]

    make.round_of_work()
    make.round_of_work()

    assert heard(hostile) == [f"entry-{entry.pk}" for entry in found]
    assert set(to.notices.values_list("state", "attempts")) == {(State.DELIVERED, 1)}
    assert set(Attempt.objects.values_list("status", "fault", "answer")) == {(200, "", "thanks")}
    to.refresh_from_db()
    assert to.delivered_at is not None


def test_it_is_tried_again_with_the_same_id_until_it_is_taken(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(500), Reply(503), Reply(201))
    to = make.recipient(hostile.url)
    told = make.notice(to)

    for failures in (1, 2):
        delivery.deliver()
        delivery.deliver()  # at once nothing more is tried
        to.refresh_from_db()
        told.refresh_from_db()
        assert (to.failures, told.state, told.attempts) == (failures, State.WAITING, failures)
        assert to.failing_since is not None
        wait = told.next_at - timezone.now()
        assert WAITS[failures - 1] * 0.7 < wait < WAITS[failures - 1] * 1.3
        make.later(to)
    delivery.deliver()

    assert heard(hostile) == [told.source] * 3
    to.refresh_from_db()
    told.refresh_from_db()
    assert (told.state, to.failures, to.failing_since, to.resume_at) == (State.DELIVERED, 0, None, None)


def test_each_attempt_is_signed_anew(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(500), Reply(200))
    to = make.recipient(hostile.url)
    make.notice(to)
    delivery.deliver()
    services.renew_secret(to, rows.person(staff=True))
    make.later(to)

    delivery.deliver()

    signatures = {asked.headers["webhook-signature"] for asked in hostile.asked()}
    assert len(signatures) == 2


def test_after_the_last_attempt_it_is_given_up(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(500))
    to = make.recipient(hostile.url)
    told = make.notice(to)

    for _ in range(len(WAITS) + 3):
        make.later(to)
        delivery.deliver()

    told.refresh_from_db()
    assert (told.state, len(heard(hostile))) == (State.PARKED, len(WAITS) + 1)


def test_one_that_fails_is_left_alone_with_everything(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(500))
    to = make.recipient(hostile.url)
    for _ in range(5):
        make.notice(to)

    delivery.deliver()
    delivery.deliver()

    assert len(hostile.asked()) == 1


def test_one_that_fails_holds_nobody_else_up(hostile: Hostile, other_host: Hostile) -> None:
    hostile.on("POST", "/", Reply(500))
    other_host.on("POST", "/", Reply(200))
    make.notice(make.recipient(hostile.url))
    good = make.recipient(other_host.url)
    for _ in range(3):
        make.notice(good)

    delivery.deliver()

    assert len(other_host.asked()) == 3


def test_retry_after_is_followed(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(429, headers={"Retry-After": "7200"}))
    to = make.recipient(hostile.url)
    told = make.notice(to)

    delivery.deliver()

    for row in (to, told):
        row.refresh_from_db()
    assert to.resume_at is not None
    for moment in (to.resume_at, told.next_at):
        assert timedelta(minutes=119) < moment - timezone.now() <= timedelta(hours=2)


def test_410_switches_it_off_and_loses_nothing(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(410), Reply(200))
    to = make.recipient(hostile.url)
    told = make.notice(to)
    delivery.deliver()
    make.later(to)
    delivery.deliver()
    to.refresh_from_db()
    assert (to.enabled, to.why_disabled, len(hostile.asked())) == (
        False,
        "It answered 410: it wants no notices any more.",
        1,
    )

    services.switch(to, rows.person(staff=True), on=True)
    delivery.deliver()

    told.refresh_from_db()
    assert told.state == State.DELIVERED


def test_days_of_failure_switch_it_off(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(500))
    to = make.recipient(hostile.url, failures=9, failing_since=timezone.now() - timedelta(days=3, minutes=1))
    make.notice(to)

    delivery.deliver()

    to.refresh_from_db()
    assert not to.enabled
    assert to.why_disabled == "It has failed for 3 days: it was answered with 500"


def test_one_that_kills_its_worker_is_given_up() -> None:
    """Nobody wrote down how its attempts went; they were counted before."""
    to = make.recipient()
    told = make.notice(to, attempts=MOST_ATTEMPTS)

    delivery.deliver()

    told.refresh_from_db()
    assert told.state == State.PARKED
    assert not Attempt.objects.exists()


def test_one_that_another_worker_has_is_left_to_it(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(200))
    to = make.recipient(hostile.url)
    told = make.notice(to)
    stale = Notice.objects.get(pk=told.pk)
    assert delivery.tell(to, [told]) is not None

    assert delivery.tell(to, [stale]) is None
    assert len(hostile.asked()) == 1


def test_one_that_another_worker_is_sending_is_left_to_it(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(200))
    to = make.recipient(hostile.url)
    stale = make.notice(to)
    Notice.objects.update(attempts=1)

    assert delivery.tell(to, [stale]) is None
    assert hostile.asked() == []


def test_a_recipient_that_another_worker_has_is_left_to_it(hostile: Hostile) -> None:
    """It was free when the worker looked who is due, and is not when its turn comes."""
    hostile.on("POST", "/", Reply(200))
    to = make.recipient(hostile.url)
    make.notice(to)
    (due,) = Subscription.objects.due(timezone.now())
    Subscription.objects.update(busy_until=timezone.now() + timedelta(seconds=50))

    delivery._turn(due, math.inf)

    assert hostile.asked() == []


def test_a_claim_of_a_clock_that_was_ahead_is_none(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(200))
    to = make.recipient(hostile.url, busy_until=timezone.now() + timedelta(seconds=50))
    make.notice(to)
    delivery.deliver()
    assert hostile.asked() == []

    Subscription.objects.update(busy_until=timezone.now() + timedelta(hours=3))
    delivery.deliver()

    assert len(hostile.asked()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's are processes: see test_killed.py")
def test_two_workers_at_once_tell_each_thing_once(hostile: Hostile) -> None:
    hostile.on("POST", "/", Reply(200, delay=0.05))
    recipients = [make.recipient(f"{hostile.url}/?{n}") for n in range(3)]
    for to in recipients:
        for _ in range(4):
            make.notice(to)
    assert connection.vendor == "postgresql"

    at_once(*[delivery.deliver] * 4)
    delivery.deliver()

    assert len(heard(hostile)) == len(set(heard(hostile))) == 12
    assert not Notice.objects.exclude(state=State.DELIVERED).exists()


def at_once(*works: Callable[[], None]) -> None:
    begin = Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        begin.wait()
        try:
            work()
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_log_keeps_the_newest(hostile: Hostile) -> None:
    to, other = make.recipient(), make.recipient()
    long_ago = timezone.now() - timedelta(days=2)
    for number in range(pruning.KEPT + 30):
        told = make.notice(to, f"entry-{number}", state=State.DELIVERED, created_at=long_ago)
        Attempt.objects.create(subscription=to, notice=told, at=long_ago)
    fresh = make.notice(to, "entry-fresh", state=State.DELIVERED)
    waiting = make.notice(other, "entry-waiting", created_at=long_ago)
    forgotten = make.notice(other, "entry-forgotten", created_at=timezone.now() - timedelta(days=5))

    pruning.prune(timezone.now())

    assert to.attempts.count() == pruning.KEPT
    assert not to.notices.filter(source="entry-29").exists()
    assert to.notices.filter(source="entry-30").exists()
    assert Notice.objects.filter(pk=fresh.pk).exists()  # what feeds must see that it is there
    waiting.refresh_from_db()
    assert waiting.state == State.WAITING
    assert not Notice.objects.filter(pk=forgotten.pk).exists()  # given up, and nobody tried it
