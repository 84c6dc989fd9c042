"""Events come twice, late, in any order, forged and broken: each takes effect once, and none stops the others."""

from __future__ import annotations

import hashlib
import json

import pytest

from audit import inbox, seen
from audit.models import Delivery, Entry, Quarantined, SeenEvent
from catalog.models import PullDay
from jobs import resident
from tests.catalog.arrivals.station import Station, changed, hand_in, handle_all, handling

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def mixed(bodies: list[bytes], seed: str) -> list[bytes]:
    """In an order that nobody chose, and that is the same again."""
    return sorted(bodies, key=lambda body: hashlib.sha256(seed.encode() + body).digest())


def pulls() -> int:
    return sum(PullDay.objects.values_list("pulls", flat=True))


def test_what_is_told_three_times_happened_once(station: Station) -> None:
    push = station.pusher()
    push.image("1.0", "1")
    push.image("1.0", seed="new")
    for _ in range(3):
        station.ask("GET", "team/app/manifests/1.0")
    bodies = station.heard()
    told = mixed(bodies, "a") + mixed(bodies, "b") + mixed(bodies, "c")
    for start in range(0, len(told), 4):
        hand_in(station.row, told[start : start + 4])
        handle_all()
    assert pulls() == 3
    assert sum(Entry.objects.filter(act="pull").values_list("count", flat=True)) == 3
    assert Entry.objects.exclude(act="pull").count() == 3
    stream = station.stream()
    assert (stream.handled, stream.repeated) == (len(bodies), 2 * len(bodies))


@pytest.mark.parametrize("seed", "abcd")
def test_in_whatever_order_the_catalog_is_as_the_registry(station: Station, seed: str) -> None:
    push = station.pusher()
    for number in range(4):
        push.image("latest", str(number), seed=str(number))
    push.index("index", children=[push.image(), push.image(platform="linux/arm64")])
    gone = push.image("gone", seed="gone")
    station.ask("DELETE", f"team/app/manifests/{gone}")
    bodies = mixed(station.heard(), seed)
    for start in range(0, len(bodies), 5):
        hand_in(station.row, bodies[start : start + 5])
        handle_all()
    assert sorted(station.tags()) == ["0", "1", "2", "3", "index", "latest"]
    latest = list(Entry.objects.filter(tag="latest"))
    assert {entry.digest_after for entry in latest} == {station.tags()[str(number)] for number in range(4)}
    assert len(latest) == 4
    assert Entry.objects.filter(act__in=("push", "push-again", "move", "retag"), tag="").count() == 0


def test_another_event_of_the_same_id_is_kept_apart(station: Station) -> None:
    station.pusher().image("1.0")
    bodies = [body for body in station.heard() if b'"1.0"' in body]
    hand_in(station.row, [*bodies, changed(bodies[0], action="delete")])
    handle_all()
    hand_in(station.row, [changed(bodies[0], action="pull")])
    handle_all()
    assert station.story() == [("push", "1.0")]
    assert Quarantined.objects.filter(why__startswith="Another event").count() == 2
    assert station.stream().quarantined == 2
    assert set(station.tags()) == {"1.0"}


def test_what_is_forged_changes_nothing_in_the_catalog(station: Station) -> None:
    digest = station.pusher().image("1.0")
    bodies = station.heard()
    (push,) = [body for body in bodies if b'"1.0"' in body]
    hand_in(station.row, bodies)
    handle_all()
    event = json.loads(push)["events"][0]
    elsewhere = event["target"] | {"repository": "never/was"}
    gone = {"repository": "team/app", "digest": digest}
    hand_in(
        station.row,
        [
            changed(push, id="forged-1", target=elsewhere),
            changed(push, id="forged-2", action="delete", target=gone),
            changed(push, id="forged-3", action="delete", target={"repository": "team/app", "tag": "1.0"}),
        ],
    )
    handle_all()
    assert station.tags() == {"1.0": digest}
    assert station.tags("never/was") == {}
    assert Entry.objects.count() == 4  # what was claimed is recorded as claimed


BROKEN = {
    "nothing": b"",
    "no-json": b"\x00\xff",
    "deep": b"[" * 100_000,
    "no-events": b'{"events": 3}',
    "no-event": b'{"events": ["x"]}',
    "no-id": b'{"events": [{"action": "push", "target": {"repository": "a"}}]}',
    "no-repository": b'{"events": [{"id": "1", "action": "push", "target": {"repository": "../a"}}]}',
    "nulls": b'{"events": [{"id": "2", "action": "push", "target": null, "request": null, "actor": null}]}',
    "old": b'{"events": [{"id": "3", "action": "push", "timestamp": "2001-01-01T00:00:00Z",'
    b' "target": {"repository": "a", "tag": "1"}}]}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_kept_and_stops_nothing(station: Station, name: str) -> None:
    station.pusher().image("1.0")
    hand_in(station.row, [BROKEN[name], *station.heard()])
    handle_all()
    assert set(station.tags()) == {"1.0"}
    part = Quarantined.objects.get()
    assert part.why
    assert station.stream().quarantined == 1
    assert not Delivery.objects.exists()


def test_a_broken_event_among_good_ones_is_kept_alone(station: Station) -> None:
    station.pusher().image("1.0")
    events = [json.loads(body)["events"][0] for body in station.heard()]
    broken = [7, {"id": "half", "action": "push"}, {"action": "push", "target": {"repository": "a/b"}}]
    envelope = json.dumps({"events": [broken[0], *events[:1], broken[1], *events[1:], broken[2]]}).encode()
    hand_in(station.row, [envelope])
    handle_all()
    assert set(station.tags()) == {"1.0"}
    assert station.stream().handled == len(events)
    assert (Quarantined.objects.count(), station.stream().quarantined) == (3, 3)


def test_an_action_without_a_name_of_ours_is_recorded(station: Station) -> None:
    body = b'{"events": [{"id": "1", "action": "sing", "target": {"repository": "a/b"}}]}'
    hand_in(station.row, [body])
    handle_all()
    entry = Entry.objects.get()
    assert (entry.act, entry.detail, entry.repository) == ("other", "sing", "a/b")


def test_of_too_much_the_beginning_is_kept(station: Station) -> None:
    body = b'{"events": [' + b" " * inbox.LARGEST + b"]}"
    hand_in(station.row, [body])
    handle_all()
    part = Quarantined.objects.get()
    assert (len(bytes(part.body)), part.size) == (inbox.KEPT, len(body))


def test_what_ends_its_handler_again_and_again_is_set_aside(station: Station) -> None:
    station.pusher().image("1.0")
    hand_in(station.row, [b'{"events": []}', *station.heard()])
    first = Delivery.objects.order_by("pk").first()
    assert first is not None
    Delivery.objects.filter(pk=first.pk).update(attempts=inbox.TRIES)
    handle_all()
    assert Quarantined.objects.get().why.startswith("Its handling was begun 5 times")
    assert set(station.tags()) == {"1.0"}


def test_ids_are_forgotten_after_ninety_days_and_not_before(station: Station) -> None:
    station.pusher().image("1.0")
    station.arrive()
    row = SeenEvent.objects.order_by("pk").first()
    assert row is not None
    assert seen.prune(row.at + seen.KEPT) == 0
    assert seen.prune(row.at + seen.KEPT * 2) > 0
    assert not SeenEvent.objects.exists()


def test_a_registry_that_was_removed_is_not_asked(station: Station) -> None:
    station.pusher().image("1.0")
    bodies = station.heard()
    hand_in(station.row, bodies)
    station.row.delete()
    handle_all()
    assert not Delivery.objects.exists()
    assert not Quarantined.objects.exists()
    assert not Entry.objects.exists()


def test_one_at_a_time_handles_them(station: Station) -> None:
    with handling():
        assert resident.take("arrivals") is not None  # the same process, after a fault of its own
