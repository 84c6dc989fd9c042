"""What happens at a real registry is told truthfully, and is in the catalog at once, without a scan."""

from __future__ import annotations

import pytest

from audit.models import Entry
from catalog.models import Manifest, Scan
from tests.catalog.arrivals.station import Station

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def test_a_push_is_in_the_catalog_and_has_an_entry(station: Station) -> None:
    digest = station.pusher().image("1.0")
    station.arrive()
    assert station.story() == [("push", "1.0")]
    entry = Entry.objects.get()
    assert (entry.actor, entry.address, entry.user_agent) == ("alice", "127.0.0.1", "test-client")
    assert (entry.source, entry.digest_before, entry.digest_after) == ("event", "", digest)
    assert entry.claimed_at is not None
    assert station.tags() == {"1.0": digest}
    presence = station.presence(digest)
    assert (presence.state, presence.pushed_by, presence.dated_by, presence.tag_count) == ("whole", "alice", "told", 1)
    manifest = Manifest.objects.get(digest=digest)
    assert (manifest.os, manifest.architecture, manifest.config_state) == ("linux", "amd64", "read")
    repository = station.repository()
    assert (repository.tag_count, repository.image_count, repository.newest_id) == (1, 1, presence.pk)
    assert not Scan.objects.exists()


def test_what_is_pushed_under_a_tag_again_moves_it(station: Station) -> None:
    push = station.pusher()
    first = push.image("1.0")
    station.arrive()
    push.image("1.0")
    second = push.image("1.0", seed="other")
    push.image("latest", seed="other")
    station.arrive()
    assert station.story() == [("push", "1.0"), ("push-again", "1.0"), ("move", "1.0"), ("retag", "latest")]
    moved = Entry.objects.get(act="move")
    assert (moved.digest_before, moved.digest_after) == (first, second)
    assert station.tags() == {"1.0": second, "latest": second}
    assert station.presence(first).gone_at is not None


def test_an_index_is_one_push_and_one_pull(station: Station) -> None:
    push = station.pusher()
    children = [push.image(), push.image(platform="linux/arm64")]
    index = push.index("1.0", children=children)
    station.arrive()
    assert station.story() == [("push", "1.0")]
    assert station.presence(index).state == "whole"
    station.ask("GET", "team/app/manifests/1.0")
    station.ask("GET", f"team/app/manifests/{children[0]}")
    station.ask("HEAD", "team/app/manifests/1.0")
    station.arrive()
    assert station.story() == [("push", "1.0"), ("pull", "1.0")]
    assert station.stream().looks >= 1


def test_deletes_from_outside(station: Station) -> None:
    push = station.pusher()
    kept, gone = push.image("keep"), push.image("1.0", "1", seed="gone")
    station.arrive()
    station.ask("DELETE", f"team/app/manifests/{gone}")
    station.arrive()
    deletes = Entry.objects.filter(act__startswith="delete").order_by("id")
    assert {(e.act, e.tag, e.digest_before) for e in deletes} == {
        ("delete-manifest", "", gone),
        ("delete-tag", "1.0", gone),
        ("delete-tag", "1", gone),
    }
    assert {e.actor for e in deletes} == {"alice"}
    assert station.tags() == {"keep": kept}
    assert station.repository().tag_count == 1
    assert station.presence(gone).gone_at is not None


def test_layers_mounted_are_one_entry(station: Station) -> None:
    source = station.pusher("team/base")
    source.image("1", layers=(b"one", b"two"))
    station.arrive()
    for content in (b"one", b"two"):
        assert content
    assert station.story() == [("push", "1")]
