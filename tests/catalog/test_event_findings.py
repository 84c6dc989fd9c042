"""What is said of the events of a registry, as a table; and what is read for it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Delivery, EventStream, Quarantined, Refused
from catalog.event_findings import event_findings, works
from catalog.freshness import Caller, Crumb, Freshness, freshness
from registries import event_secrets
from registries.findings import Mark
from registries.models import EventSecret, Registry
from tests.web import furniture as make

NOW = datetime(2026, 11, 27, 18, 0, 0, tzinfo=UTC)
SECRET = EventSecret(name="local", digest="x", created_at=NOW - timedelta(days=3))


def ago(**age: float) -> datetime:
    return NOW - timedelta(**age)


def stream(**said: Any) -> EventStream:
    last = said.pop("last_at", ago(seconds=12))
    values = {"first_at": ago(days=2), "last_at": last, "handled_at": last, "claimed_at": last, **said}
    return EventStream(registry_id=1, **values)


def fresh(**said: Any) -> Freshness:
    return Freshness(now=NOW, **{"secrets": [SECRET], "stream": stream(), **said})


ANEW = stream(instance="b", instance_since=ago(hours=1), instances=["a", "b"])
CALLER = Caller("192.0.2.7", 41, ago(seconds=5))
CRUMB = Crumb(ago(hours=1), "no list of events", "{}", 2)
# What is so → what is off, by the short word of it, in its order.
TABLE: dict[str, tuple[Freshness, list[str]]] = {
    "all is well": (fresh(), []),
    "no secret was issued": (fresh(secrets=[], stream=None), ["No events"]),
    "all were revoked": (fresh(secrets=[]), ["No events"]),
    "nothing came yet": (fresh(stream=None), ["No events"]),
    "the first came just now": (fresh(stream=None, waiting=1, waiting_since=ago(seconds=1)), []),
    "nothing took effect ever": (fresh(stream=None, waiting=9, waiting_since=ago(hours=1)), ["Events wait"]),
    "a wrong secret from the beginning": (fresh(stream=None, refused=[CALLER]), ["Wrong secret", "No events"]),
    "a wrong secret since": (fresh(refused=[CALLER]), ["Wrong secret"]),
    "a wrong secret that was cured": (fresh(refused=[Caller("192.0.2.7", 41, ago(minutes=5))]), []),
    "a scan saw pushes": (fresh(stream=stream(last_at=ago(hours=3)), missed=4, missed_at=ago(hours=1)), ["Silent"]),
    "it is quiet": (fresh(stream=stream(last_at=ago(days=30))), []),
    "the inbox was just filled": (fresh(waiting=500, waiting_since=ago(seconds=30)), []),
    "the inbox is not emptied": (fresh(waiting=1, waiting_since=ago(minutes=2)), ["Events wait"]),
    "nonsense came lately": (fresh(quarantine=[CRUMB]), ["Quarantine"]),
    "nonsense came once": (fresh(quarantine=[Crumb(ago(days=9), "", "", 0)]), []),
    "its clock is ahead": (fresh(stream=stream(claimed_at=NOW + timedelta(seconds=90))), ["Clock"]),
    "its clock is behind": (fresh(stream=stream(claimed_at=ago(seconds=90))), ["Clock"]),
    "its clock is nearly right": (fresh(stream=stream(claimed_at=ago(seconds=60))), []),
    "it says no time": (fresh(stream=stream(claimed_at=None)), []),
    "it was started anew": (fresh(stream=ANEW), []),
    "it drifts": (fresh(stream=stream(unexplained=7)), []),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_is_off_is_found_and_nothing_else(case: str) -> None:
    given, off = TABLE[case]
    found = event_findings(given)

    assert [finding.short for finding in found if finding.mark == Mark.NO] == off
    assert all(finding.cure for finding in found if finding.mark == Mark.NO)
    assert works(found) == (not off)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (fresh(refused=[CALLER]), "A caller at 192.0.2.7 does not show the secret: 41 times, the last on 27 Nov 2026"),
        (fresh(refused=[Caller("", 1, NOW)]), "at one of many addresses does not show the secret: 1 time,"),
        (fresh(missed=1), "scans found 1 tag pushed of which the registry told nothing"),
        (fresh(waiting=1000, waiting_since=ago(hours=1)), "1,000+ events have come in"),
        (fresh(quarantine=[CRUMB], stream=stream(quarantined=40)), "40 events could not be handled"),
        (fresh(stream=stream(claimed_at=NOW + timedelta(seconds=90))), "is 102 s ahead of Berth's"),
        (fresh(stream=ANEW), "told its first event on 27 Nov 2026, 17:00:00 UTC"),
        (fresh(stream=stream(unexplained=1)), "Scans found 1 change that no event had told."),
    ],
)
def test_the_figures_are_in_the_sentence(given: Freshness, sentence: str) -> None:
    assert any(sentence in finding.sentence for finding in event_findings(given))


def test_a_registry_of_which_one_alone_was_heard_was_not_started_anew() -> None:
    """Its first events take effect, and so are noted, a while after they came in."""
    only = stream(first_at=ago(hours=1), instance="a", instance_since=ago(minutes=59), instances=["a"])

    assert not [finding for finding in event_findings(fresh(stream=only)) if finding.topic == "Restart"]


@pytest.fixture
def local(db: None) -> Registry:
    return make.registry("local")


inbox = pytest.mark.django_db(databases="__all__")


@inbox
def test_what_is_read_is_of_this_registry_alone_and_costs_six_queries(local: Registry) -> None:
    other, now = make.registry("other"), timezone.now()
    for where in (local, other):
        event_secrets.issue(where)
        at = {"first_at": now, "last_at": now - timedelta(hours=1), "handled_at": now}
        EventStream.objects.create(registry_id=where.pk, unexplained=where.pk, **at)
        for _ in range(3):
            Delivery.objects.create(registry_id=where.pk, received_at=now, body=b"{}", size=2)
            Quarantined.objects.create(registry_id=where.pk, received_at=now, why=where.name, body=b"{}", size=2)
        Refused.objects.create(registry=where.name, address="::1", count=where.pk, first_at=now, last_at=now)
        make.scan(where, started_at=now, new_tags=2, moved_tags=1)
    make.scan(local, started_at=now - timedelta(hours=2), new_tags=50)
    make.scan(local, started_at=now, new_tags=0, gone_tags=9)

    with ExitStack() as stack:
        asked = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        found = freshness(local)

    assert sum(map(len, asked)) == 6
    assert (found.waiting, found.waiting_since) == (3, now)
    assert [caller.count for caller in found.refused] == [local.pk]
    assert {crumb.why for crumb in found.quarantine} == {"local"}
    assert found.missed == 3
    assert found.stream is not None
    assert found.stream.unexplained == local.pk


@inbox
def test_of_what_is_apart_the_beginning_is_shown_and_nothing_that_a_screen_obeys(local: Registry) -> None:
    body = b"\x1b[31mred\x00\xe2\x80\xae\xff\n" + b"line\n" * 50 + b"x" * 2**16
    Quarantined.objects.create(registry_id=local.pk, received_at=timezone.now(), why="", body=body, size=len(body))

    (crumb,) = freshness(local).quarantine

    assert crumb.text.splitlines()[0] == "\N{REPLACEMENT CHARACTER}[31mred" + 3 * "\N{REPLACEMENT CHARACTER}"
    assert len(crumb.text.splitlines()) == 8
    assert crumb.size == len(body)


@inbox
def test_who_calls_by_the_old_name_is_found_too(local: Registry) -> None:
    event_secrets.issue(local)
    Registry.objects.filter(pk=local.pk).update(name="main")
    now = timezone.now()
    Refused.objects.create(registry="local", address="::1", count=1, first_at=now, last_at=now)

    assert [caller.address for caller in freshness(Registry.objects.get(pk=local.pk)).refused] == ["::1"]
