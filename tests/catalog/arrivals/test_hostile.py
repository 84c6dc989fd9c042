"""A registry that refuses, is slow or tells nonsense keeps nobody waiting but itself."""

from __future__ import annotations

import json
import re
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Delivery, Entry, EventStream, Quarantined
from catalog.arrivals import rereading
from catalog.arrivals.reading import wanted_of
from catalog.models import Presence, Repository, Tag, Unread
from oci.names import parse_repository, parse_tag
from registries.models import Registry
from tests.catalog.arrivals.station import hand_in, handle_all, handling
from tests.catalog.serving import digest_of, image, index_of, serve, serve_manifest
from tests.catalog.sizes import forget_sizes
from tests.hostile import Asked, Hostile, Reply
from tests.pushing import OCI_INDEX, OCI_MANIFEST

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

_NUMBERS: Final = count()


def envelope(*events: dict[str, Any]) -> bytes:
    return json.dumps({"events": list(events)}).encode()


def event(action: str, **target: str) -> dict[str, Any]:
    return {"id": f"event-{next(_NUMBERS)}", "action": action, "target": target, "request": {"method": "PUT"}}


def test_a_repository_that_berth_may_not_read_holds_up_no_other(hostile_row: Registry, hostile: Hostile) -> None:
    serve(hostile, good=["1"])
    hostile.on("GET", "/v2/closed/manifests/1", Reply.errors(403, "DENIED"))
    pushes = [event("push", repository=name, tag="1", digest=f"sha256:{0:064}") for name in ("closed", "good")]
    hand_in(hostile_row, [envelope(*pushes)])
    handle_all()
    assert list(Unread.objects.values_list("repository", "tag")) == [("closed", "1")]
    assert list(Tag.objects.live().values_list("repository__name", "name")) == [("good", "1")]
    assert list(Repository.objects.values_list("name", flat=True)) == ["good"]


def test_what_a_registry_tells_that_cannot_be_asked_is_read_later(
    hostile_row: Registry, hostile: Hostile, tmp_path: Path
) -> None:
    serve(hostile, good=["1"])
    Registry.objects.filter(pk=hostile_row.pk).update(ca=str(tmp_path / "gone.pem"))
    hand_in(hostile_row, [envelope(event("push", repository="good", tag="1", digest=f"sha256:{0:064}"))])
    handle_all()
    assert list(Unread.objects.values_list("repository", "tag")) == [("good", "1")]
    assert not Quarantined.objects.exists()
    assert hostile.asked() == []

    Registry.objects.filter(pk=hostile_row.pk).update(ca="")
    Unread.objects.update(due_at=timezone.now())
    with handling() as at_work:
        rereading.read_due(at_work)
    assert list(Tag.objects.live().values_list("name", flat=True)) == ["1"]


def test_a_registry_is_read_by_the_proxy_of_now(hostile_row: Registry, hostile: Hostile, other_host: Hostile) -> None:
    serve(hostile, good=["1"])
    wanted = wanted_of([(parse_repository("good"), parse_tag("1"), "")])
    with handling() as at_work:
        at_work.read(hostile_row, wanted)
        moved = Registry.objects.get(pk=hostile_row.pk)
        moved.proxy = other_host.url
        at_work.read(moved, wanted)
    assert other_host.asked()[0].target == f"{hostile.url}/v2/good/manifests/1"


def test_a_digest_of_which_berth_knows_nothing_is_not_asked_for(hostile_row: Registry, hostile: Hostile) -> None:
    serve(hostile, good=["1"])
    known = "sha256:" + "0" * 64
    push = event("push", repository="good", tag="1", digest=known)
    deletes = [event("delete", repository="good", digest=f"sha256:{number:064}") for number in range(100)]
    hand_in(hostile_row, [envelope(push)])
    handle_all()
    asked = len(hostile.asked())
    hand_in(hostile_row, [envelope(*deletes)])
    handle_all()
    assert len(hostile.asked()) == asked
    assert list(Tag.objects.live().values_list("name", flat=True)) == ["1"]


def test_a_turn_that_is_over_asks_for_nothing_more(hostile_row: Registry, hostile: Hostile) -> None:
    serve(hostile, good=["1"])
    wanted = wanted_of([(parse_repository("good"), parse_tag("1"), "")])
    with handling() as at_work:
        (late,) = at_work.read(hostile_row, wanted, turn=0.0)
        assert (late.unread.tags, hostile.asked()) == ({"1"}, [])
        (found,) = at_work.read(hostile_row, wanted)
    assert (found.unread.tags, len(found.batch.tags)) == (set(), 1)


def test_what_is_read_again_is_counted_before(hostile_row: Registry, hostile: Hostile) -> None:
    tries: list[int] = []

    def refuse(_: Asked) -> Reply:
        tries.extend(Unread.objects.values_list("tries", flat=True))
        connections.close_all()
        return Reply.errors(403, "DENIED")

    hostile.on("GET", "/v2/closed/manifests/1", refuse)
    hand_in(hostile_row, [envelope(event("push", repository="closed", tag="1", digest=f"sha256:{0:064}"))])
    handle_all()
    with handling() as at_work:
        for _ in range(40):
            Unread.objects.update(due_at=timezone.now())
            rereading.read_due(at_work)
    assert tries == list(range(2, 32))
    assert not Unread.objects.exists()


def test_a_mistake_with_one_registry_keeps_no_other_from_being_read(hostile_row: Registry, hostile: Hostile) -> None:
    serve(hostile, good=["1"])
    other = Registry.objects.create(name="other", url="http://127.0.0.1:9")
    now = timezone.now()
    for registry, name in ((other, "No Name"), (hostile_row, "good")):
        Unread.objects.create(registry=registry, repository=name, tag="1", due_at=now)
    with handling() as at_work:
        rereading.read_due(at_work)
    assert list(Tag.objects.live().values_list("name", flat=True)) == ["1"]
    assert list(Unread.objects.values_list("registry", "tries")) == [(other.pk, 2)]


def test_a_child_that_was_not_answered_is_read_again(hostile_row: Registry, hostile: Hostile) -> None:
    serve(hostile, good=["1"])
    child = serve_manifest(hostile, "good", image(b"{ }"))
    hostile.on("GET", f"/v2/good/blobs/{digest_of(b'{ }')}", Reply(200, b"{ }"))
    index = serve_manifest(hostile, "good", index_of((OCI_MANIFEST, child)), "all", media_type=OCI_INDEX)
    here, busy = f"/v2/good/manifests/{child}", Reply.errors(500, "UNKNOWN")
    body = json.dumps(image(b"{ }")).encode()
    hostile.on("GET", here, busy, busy, Reply(200, body, {"Content-Type": OCI_MANIFEST}))
    hand_in(hostile_row, [envelope(event("push", repository="good", tag="all", digest=index))])
    handle_all()
    assert Presence.objects.get(manifest__digest=index).state == Presence.State.INCOMPLETE
    with handling() as at_work:
        for _ in range(3):
            Unread.objects.update(due_at=timezone.now())
            rereading.read_due(at_work)
    assert Presence.objects.get(manifest__digest=index).state == Presence.State.WHOLE
    assert not Unread.objects.exists()


def test_a_registry_that_was_let_go_is_asked_nothing(hostile_row: Registry, hostile: Hostile) -> None:
    serve(hostile, good=["1"])
    hand_in(hostile_row, [envelope(event("push", repository="good", tag="1", digest=f"sha256:{0:064}"))])
    Registry.objects.update(retired_at=timezone.now())
    handle_all()
    with handling() as at_work:
        Unread.objects.update(due_at=timezone.now())
        rereading.read_due(at_work)
    assert hostile.asked() == []
    assert not Unread.objects.exists()
    assert Entry.objects.get().act == "push"


def test_what_a_tag_pointed_to_is_found_past_all_its_pulls(hostile_row: Registry, hostile: Hostile) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of so few rows others read all")
    forget_sizes()
    serve(hostile, good=["1"])
    with CaptureQueriesContext(connection) as asked:
        hand_in(hostile_row, [envelope(event("push", repository="good", tag="1", digest=f"sha256:{0:064}"))])
        handle_all()
    newest = [query["sql"] for query in asked if re.search(r'FROM "audit_entry" .*"tag" = .*ORDER BY', query["sql"])]
    assert "INDEX acts_on_a_tag (registry_id=? AND repository=? AND tag=?)" in _plan(newest[0])


def test_whether_a_digest_was_told_of_is_found_past_all_else_of_its_repository(hostile_row: Registry) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of so few rows others read all")
    hand_in(hostile_row, [envelope(event("push", repository="good", tag="1", digest=f"sha256:{0:064}"))])
    with CaptureQueriesContext(connection) as asked:
        handle_all()
    (told,) = [query["sql"] for query in asked if re.search(r'FROM "audit_entry" .*"digest_after" = ', query["sql"])]
    assert "INDEX entries_to_a_digest (digest_after=?)" in _plan(told)


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return str(cursor.fetchall())


def test_what_is_handled_again_after_a_crash_is_not_counted_again(hostile_row: Registry) -> None:
    pull = envelope(
        {**event("pull", repository="good", tag="1", digest=f"sha256:{0:064}"), "request": {"method": "HEAD"}}
    )
    hand_in(hostile_row, [pull])
    handle_all()
    hand_in(hostile_row, [pull, pull, b"nonsense"])
    dying = connections["inbox" if "inbox" in connections else "default"].execute_wrapper(_dies)
    with dying, handling() as at_work, pytest.raises(OperationalError):
        at_work.some()
    assert Delivery.objects.count() == 3
    handle_all()
    stream = EventStream.objects.get()
    assert (stream.handled, stream.looks, stream.repeated, stream.quarantined) == (1, 1, 2, 1)
    assert (Quarantined.objects.count(), Delivery.objects.count()) == (1, 0)


def _dies(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """Before what took effect has left the inbox."""
    if sql.startswith("DELETE") and "audit_delivery" in sql:
        raise OperationalError("killed")
    return execute(sql, params, many, context)
