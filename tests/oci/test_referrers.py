from __future__ import annotations

import time
from typing import Any

import pytest

from oci.errors import BadAnswer, NotFound, RegistryError
from oci.names import Digest, parse_repository
from tests.hostile import Hostile, Raw, Reply
from tests.oci.conftest import Connect

SUBJECT = Digest.of(b"subject")
REPOSITORY = parse_repository("team/app")
PATH = f"/v2/team/app/referrers/{SUBJECT}"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def listing(*names: str, **fields: Any) -> dict[str, Any]:
    entries = [
        {"mediaType": MANIFEST, "digest": str(Digest.of(n.encode())), "size": 5, "artifactType": f"application/{n}"}
        for n in names
    ]
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries, **fields}


def test_referrers_are_read_over_all_pages_each_once(hostile: Hostile, connect: Connect) -> None:
    more = f'<{PATH}?last=b>; rel="next"'
    hostile.on("GET", PATH, Reply.json(listing("a", "b"), Link=more))
    hostile.on("GET", f"{PATH}?last=b", Reply.json(listing("b", "c")))

    found = connect(hostile.url).referrers(REPOSITORY, SUBJECT)

    assert [one.artifact_type for one in found] == ["application/a", "application/b", "application/c"]


def test_of_nothing_the_list_is_empty(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", PATH, Reply.json(listing()))
    assert connect(hostile.url).referrers(REPOSITORY, SUBJECT) == ()


def test_pages_without_end_are_given_up(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", PATH, Reply.json(listing("a"), Link=f'<{PATH}?last=b>; rel="next"'))
    assert len(connect(hostile.url).referrers(REPOSITORY, SUBJECT)) == 1
    assert len(hostile.asked(PATH)) == 20


def test_more_than_a_page_can_bear_is_cut(hostile: Hostile, connect: Connect) -> None:
    for page in range(3):
        link = f'<{PATH}?last={page + 1}>; rel="next"'
        reply = Reply.json(listing(*(f"{page}-{n}" for n in range(600))), Link=link)
        hostile.on("GET", f"{PATH}?last={page}" if page else PATH, reply)
    assert len(connect(hostile.url).referrers(REPOSITORY, SUBJECT)) == 1_000
    assert len(hostile.asked(PATH)) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(404, b"404 page not found"), NotFound),
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), BadAnswer),
        (Reply.json({"schemaVersion": 2, "mediaType": MANIFEST, "config": {}, "layers": []}), BadAnswer),
        (Reply.json(listing("a", manifests=[{"digest": "sha256:short"}])), BadAnswer),
        (Reply.json(listing("a"), Link='<https://elsewhere.example.org/v2/>; rel="next"'), BadAnswer),
        (Reply.json(listing("a"), Link='</v2/team/app/tags/list>; rel="next"'), BadAnswer),
        (Reply(200, b"x" * 5 * 2**20), RegistryError),
        (Raw(b"SSH-2.0\r\n\r\n"), RegistryError),
    ],
)
def test_what_is_no_list_of_referrers_is_an_error(
    answer: Reply | Raw, error: type[RegistryError], hostile: Hostile, connect: Connect
) -> None:
    hostile.on("GET", PATH, answer)
    with pytest.raises(error):
        connect(hostile.url, attempts=1).referrers(REPOSITORY, SUBJECT)


def test_a_registry_that_drips_is_left_at_the_deadline(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", PATH, Reply(200, b"{" * 1_000, pause=0.05))
    began = time.monotonic()
    with pytest.raises(RegistryError):
        connect(hostile.url, attempts=1, total=0.5).referrers(REPOSITORY, SUBJECT)
    assert time.monotonic() - began < 10
