"""Lists of what is attached that name too much, other things, or the same twice; and a list that may not move."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from oci.client import RegistryClient
from oci.names import Digest, RepositoryName, TagName
from oci.transfer.attached import Attached, Wanted, tag_of
from oci.transfer.images import Order
from oci.transport import Endpoint
from tests.hostile import Asked, Hostile, Reply
from tests.oci.transfer.copier import Copier
from tests.oci.transfer.serving import NAME, digest_of, serve
from tests.pushing import OCI_INDEX, OCI_MANIFEST, Pusher
from tests.real_registry import RealRegistry

APP = RepositoryName(NAME)


@pytest.fixture
def source() -> Iterator[Hostile]:
    with Hostile() as hostile:
        yield hostile


@pytest.fixture
def target(tmp_path: Path) -> Iterator[RealRegistry]:
    """Distribution 2.8, which keeps no lists by itself."""
    with RealRegistry(tmp_path / "target", "2.8") as registry:
        yield registry


@pytest.fixture
def copier(source: Hostile, target: RealRegistry) -> Iterator[Copier]:
    with ExitStack() as stack:
        clients = [stack.enter_context(RegistryClient(Endpoint(registry.url))) for registry in (source, target)]
        yield stack.enter_context(Copier(*clients))


def bring(copier: Copier, digest: str, attached: Attached | None = None) -> int:
    """The image without a tag, and then what is attached to it."""
    order = Order(APP, Digest.parse(digest), APP)
    copied, _ = copier.images.place(order)
    return (attached or copier.attached).bring(order, copied, Wanted(tags=()))


def listed(source: Hostile, subject: str, *referrers: str) -> None:
    """As the API of the source lists what is attached to `subject`."""
    described = [{"mediaType": OCI_MANIFEST, "digest": referrer, "size": 500} for referrer in referrers]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": described}
    reply = Reply(200, json.dumps(document).encode(), {"Content-Type": OCI_INDEX})
    source.on("GET", f"/v2/{NAME}/referrers/{subject}", reply)


def attach(source: Hostile, subject: str, content: bytes) -> str:
    """Something that says it is about `subject`."""
    about = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 500}
    return serve(source, layers=[content], parts={"subject": about})


def asked_for(source: Hostile, *digests: str) -> list[Asked]:
    paths = {f"/v2/{NAME}/manifests/{digest}" for digest in digests}
    return [asked for asked in source.asked() if asked.method == "GET" and asked.path in paths]


def test_of_a_list_without_end_two_hundred_are_asked_for(copier: Copier, source: Hostile) -> None:
    digest = serve(source, "1.0")
    gone = [digest_of(str(number).encode()) for number in range(230)]
    listed(source, digest, *gone)

    assert bring(copier, digest) == 0
    assert len(asked_for(source, *gone)) == 200


def test_lists_that_name_each_other_end(copier: Copier, source: Hostile) -> None:
    digest = serve(source, "1.0")
    first, second = attach(source, digest, b"first"), attach(source, digest, b"second")
    listed(source, digest, digest, first, second)
    listed(source, first, digest, first)
    listed(source, second, first, second)
    source.requests.clear()

    assert bring(copier, digest) == 2
    assert [len(asked_for(source, referrer)) for referrer in (first, second)] == [1, 1]


def test_what_is_about_something_else_stays_where_it_is(copier: Copier, source: Hostile, target: RealRegistry) -> None:
    """Whoever lists a referrer says what it is about, and so does it itself: both have to say the same."""
    digest, other = serve(source, "1.0"), serve(source, "2.0", layers=[b"other"])
    theirs, nobodys, ours = (
        attach(source, other, b"theirs"),
        serve(source, layers=[b"plain"]),
        attach(source, digest, b"ours"),
    )
    listed(source, digest, theirs, nobodys, ours)
    listed(source, ours)

    assert bring(copier, digest) == 1
    there = {one: copier.target.manifest_exists(APP, Digest.parse(one)) for one in (theirs, nobodys, ours)}
    assert there == {theirs: False, nobodys: False, ours: True}
    kept = json.loads(Pusher(target.url, NAME).fetch(tag_of(Digest.parse(digest))))
    assert [entry["digest"] for entry in kept["manifests"]] == [ours]


def test_a_list_at_the_target_that_is_protected_stays_as_it_is(
    copier: Copier, source: Hostile, target: RealRegistry
) -> None:
    digest = serve(source, "1.0")
    referrer = attach(source, digest, b"signed")
    listed(source, digest, referrer)
    listed(source, referrer)
    tag = tag_of(Digest.parse(digest))
    pusher = Pusher(target.url, NAME)
    pusher.index(tag, children=[pusher.image(seed="theirs")])
    theirs = pusher.fetch(tag)

    def holds(repository: RepositoryName, held: TagName) -> bool:
        return (repository, held) == (APP, tag)

    assert bring(copier, digest, Attached(copier.source, copier.target, copier.images, holds)) == 1
    assert pusher.fetch(tag) == theirs
    assert bring(copier, digest) == 1
    assert [entry["digest"] for entry in json.loads(pusher.fetch(tag))["manifests"]][1:] == [referrer]
