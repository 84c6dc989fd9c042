"""What a notification says, and what it may not do to whoever reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci.errors import BadAnswer
from oci.events import Event, parse_envelope
from oci.media_types import DOCKER_MANIFEST, OCI_INDEX
from oci.names import Digest

DIGEST = f"sha256:{'b' * 64}"
PUSH: dict[str, Any] = {
    "id": "328e8fd0-26fa-4ab6-9bc7-d3b6b1aaa2c5",
    "timestamp": "2026-11-25T00:44:53.694834675Z",
    "action": "push",
    "target": {
        "mediaType": DOCKER_MANIFEST,
        "size": 423,
        "digest": DIGEST,
        "length": 423,
        "repository": "a/b",
        "url": f"http://127.0.0.1:15001/v2/a/b/manifests/{DIGEST}",
        "tag": "v1",
    },
    "request": {
        "id": "1b90",
        "addr": "127.0.0.1:37934",
        "host": "127.0.0.1:15001",
        "method": "PUT",
        "useragent": "probe/0.1",
    },
    "actor": {"name": "mara"},
    "source": {"addr": "vm:15001", "instanceID": "ec75"},
}


def envelope(*events: Any) -> bytes:
    return json.dumps({"events": events}).encode()


def read(*changes: dict[str, Any]) -> Event:
    document = dict(PUSH)
    for change in changes:
        document |= change
    (event,), rejected = parse_envelope(envelope(document))
    assert rejected == []
    return event


def test_a_push_is_read_whole() -> None:
    event = read()
    assert event.raw == json.dumps(PUSH, separators=(",", ":")).encode()
    assert (event.id, event.action, event.method) == (PUSH["id"], "push", "PUT")
    assert event.at == datetime(2026, 11, 25, 0, 44, 53, 694834, tzinfo=UTC)
    assert (event.repository, event.tag, event.digest) == ("a/b", "v1", Digest.parse(DIGEST))
    assert (event.media_type, event.size) == (DOCKER_MANIFEST, 423)
    assert (event.actor, event.address, event.user_agent) == ("mara", "127.0.0.1", "probe/0.1")
    assert event.instance == "ec75"
    assert event.is_of_manifest
    assert not event.is_of_index


@pytest.mark.parametrize(
    ("target", "tag", "digest"),
    [
        ({"digest": DIGEST, "repository": "a/b"}, None, DIGEST),  # 2.8, by digest
        ({"repository": "a/b", "tag": "v1"}, "v1", None),  # 2.8, for each tag that went with it
        ({"mediaType": "", "digest": "", "size": 0, "repository": "a/b", "tag": "v2"}, "v2", None),  # 3
    ],
)
def test_a_delete_has_three_shapes(target: dict[str, Any], tag: str | None, digest: str | None) -> None:
    event = read({"action": "delete", "target": target})
    assert event.repository == "a/b"
    assert event.tag == tag
    assert event.digest == (Digest.parse(digest) if digest else None)
    assert event.is_of_manifest is bool(tag)


def test_a_mount_says_from_where() -> None:
    target = {"mediaType": "application/octet-stream", "digest": DIGEST, "repository": "b", "fromRepository": "a/b"}
    event = read({"action": "mount", "target": target})
    assert (event.repository, event.from_repository) == ("b", "a/b")
    assert not event.is_of_manifest


def test_an_index_is_one() -> None:
    assert read({"target": {**PUSH["target"], "mediaType": OCI_INDEX}}).is_of_index


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("10.0.0.7:51320", "10.0.0.7"),
        ("10.0.0.7", "10.0.0.7"),
        ("[fd00::7]:51320", "fd00::7"),
        ("fd00::7", "fd00::7"),
        ("[fd00::7]", "fd00::7"),
        ("build-7.example.org", "build-7.example.org"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("a\u202eb\n\0c", ""),  # no text that a database holds
        ("", ""),
    ],
)
def test_an_address_loses_its_port_and_nothing_else(said: str, address: str) -> None:
    assert read({"request": {"addr": said}}).address == address


def test_a_claimed_field_that_is_nonsense_is_absent() -> None:
    event = read(
        {
            "timestamp": "yesterday",
            "target": {
                "repository": "../../_catalog",
                "tag": "<script>",
                "digest": "sha256:../../x",
                "size": -1,
                "mediaType": None,
            },
            "request": ["GET"],
            "actor": "mara",
            "source": None,
        }
    )
    assert event == Event(event.id, "push", raw=event.raw)


def test_long_and_hidden_text_is_cut() -> None:
    event = read({"actor": {"name": "m\u202ea\u0007r" + "a" * 900}, "action": "pu\u200bsh"})
    assert event.actor == "mar" + "a" * 252
    assert event.action == "push"


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        "push",
        {},
        {"id": "1"},
        {"action": "push"},
        {"id": 7, "action": "push"},
        {"id": "i" * 65, "action": "push"},
        {"id": "1\0", "action": "push"},
        {"id": "\ud800", "action": "push"},
    ],
)
def test_one_that_is_no_event_spoils_no_other(bad: Any) -> None:
    body = envelope(PUSH, bad, {**PUSH, "id": "2"})
    events, (rejected,) = parse_envelope(body)
    assert [event.id for event in events] == [PUSH["id"], "2"]
    assert rejected.why
    assert json.loads(rejected.raw) == bad


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"events": {}}',
        b'{"events": null}',
        b"\xff\xfe",
        b"\x1f\x8b\x08\x00gzip",
        b'{"events": [' + b"[" * 5000 + b"]" * 5000 + b"]}",
        b'{"events": [NaN]}',
        b'{"events": [{"id": ' + b"9" * 5000 + b"}]}",
        b'{"events": [' + b"{}," * 1_000 + b"{}]}",
        b'{"events": [' + b"[]," * 700_000 + b"[]]}",
    ],
    ids=lambda body: body[:16].hex(),
)
def test_what_is_no_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_envelope(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_FIELDS = st.sampled_from(["timestamp", "target", "request", "actor", "source"])
_WITHIN = st.sampled_from(["repository", "tag", "digest", "size", "mediaType", "fromRepository", "addr", "name"])


@given(st.dictionaries(_FIELDS, _JSON | st.dictionaries(_WITHIN, _JSON), max_size=5))
def test_whatever_its_fields_are_an_event_is_read(fields: dict[str, Any]) -> None:
    event = read(fields)
    for text in (event.media_type, event.actor, event.address, event.user_agent, event.instance):
        assert len(text) <= 255
        assert "\0" not in text
        text.encode()
