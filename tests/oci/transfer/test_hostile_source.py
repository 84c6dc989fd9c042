"""A source that lies, cuts, grows, leads away: neither a blob nor a tag of it comes to the target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from oci.auth import Credentials
from oci.client import RegistryClient
from oci.errors import (
    BadAnswer,
    DigestMismatch,
    NotFound,
    Refused,
    RegistryError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
)
from oci.faults import CutShort
from oci.names import Digest, parse_repository, parse_tag
from oci.transfer.attached import Wanted
from oci.transfer.heads import head
from oci.transfer.sides import Side, side_of
from oci.transport import Endpoint
from tests.hostile import Hostile, Reply
from tests.oci.transfer.copier import Copier
from tests.oci.transfer.serving import NAME, blob_path, digest_of, ranged, serve
from tests.pushing import OCI_INDEX, OCI_MANIFEST, Pusher
from tests.real_registry import RealRegistry

APP = parse_repository(NAME)
LARGE = bytes(range(256)) * 4 * 1024  # four pieces
SUBJECT = {"mediaType": OCI_MANIFEST, "size": 2}
FLIPPED = LARGE[:-1] + b"!"


@pytest.fixture
def target(tmp_path: Path) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path / "target") as registry:
        yield registry


@pytest.fixture
def copier(hostile: Hostile, target: RealRegistry) -> Iterator[Copier]:
    with ExitStack() as stack:
        endpoint = Endpoint(hostile.url, credentials=Credentials("mara", "canary-password"))
        clients = [stack.enter_context(RegistryClient(one)) for one in (endpoint, Endpoint(target.url))]
        yield stack.enter_context(Copier(*clients))


def nothing_came(copier: Copier) -> bool:
    has_blob = copier.target.blob_exists(APP, Digest.parse(digest_of(LARGE)))
    return not has_blob and head(copier.target, APP, parse_tag("1.0")) is None


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(200, FLIPPED), DigestMismatch),
        (Reply(200, LARGE + b"!"), TooLarge),
        (Reply(200, LARGE * 2), TooLarge),
        (Reply(200, LARGE[:-1]), CutShort),
        (Reply(200, b""), CutShort),
        (Reply(200, LARGE[:300_000], announced=len(LARGE)), CutShort),
        (Reply.errors(404, "BLOB_UNKNOWN"), NotFound),
        (Reply.errors(401, "UNAUTHORIZED"), Unauthorized),
        (Reply.errors(429, "TOOMANYREQUESTS", Retry_After="1"), TooManyRequests),
        (Reply.redirect("http://169.254.169.254/latest"), BadAnswer),
    ],
    ids=[
        "flipped",
        "one more",
        "twice",
        "one less",
        "empty",
        "cut",
        "unknown",
        "unauthorized",
        "told to wait",
        "led away",
    ],
)
def test_a_blob_that_is_not_what_it_should_be(
    copier: Copier, hostile: Hostile, target: RealRegistry, reply: Reply, error: type[RegistryError]
) -> None:
    serve(hostile, "1.0", layers=[LARGE])
    hostile.on("GET", blob_path(LARGE), reply)

    with pytest.raises(error) as raised:
        copier.copy(NAME, "1.0")

    copier.blobs.close()
    assert side_of(raised.value) is Side.SOURCE
    assert nothing_came(copier)
    uploads = target.storage / "docker/registry/v2/repositories" / NAME / "_uploads"
    assert not list(uploads.glob("*/data")), "what was begun was cancelled"


@pytest.mark.parametrize("first", [0, 1, 300_000, len(LARGE) - 1])
def test_a_download_that_is_cut_goes_on_where_it_was(
    copier: Copier, hostile: Hostile, target: RealRegistry, first: int
) -> None:
    serve(hostile, "1.0", layers=[LARGE])
    cut, rest = ranged(LARGE, first)
    hostile.on("GET", blob_path(LARGE), *([cut, Reply(200, LARGE)] if first == 0 else [cut, rest]))

    copier.copy(NAME, "1.0")

    assert copier.target.blob(APP, Digest.parse(digest_of(LARGE)), limit=2**21) == LARGE
    assert copier.tally.moved == len(LARGE) + 2
    ranges = [asked.headers["Range"] for asked in hostile.asked(blob_path(LARGE))]
    assert ranges == [None, None if first == 0 else f"bytes={first}-"]


def test_a_source_that_knows_no_ranges_is_read_once_more(copier: Copier, hostile: Hostile) -> None:
    serve(hostile, "1.0", layers=[LARGE])
    hostile.on("GET", blob_path(LARGE), ranged(LARGE, 600_001)[0], Reply(200, LARGE))

    copier.copy(NAME, "1.0")

    assert copier.target.blob(APP, Digest.parse(digest_of(LARGE)), limit=2**21) == LARGE


def test_a_range_that_begins_elsewhere_is_none(copier: Copier, hostile: Hostile) -> None:
    serve(hostile, "1.0", layers=[LARGE])
    odd = Reply(206, LARGE[5:], {"Content-Range": f"bytes 5-{len(LARGE) - 1}/{len(LARGE)}"})
    hostile.on("GET", blob_path(LARGE), ranged(LARGE, 600_001)[0], odd)

    with pytest.raises(BadAnswer, match="another place"):
        copier.copy(NAME, "1.0")

    assert nothing_came(copier)


def test_credentials_do_not_follow_a_signed_url(copier: Copier, hostile: Hostile, other_host: Hostile) -> None:
    serve(hostile, "1.0", layers=[LARGE])
    signed = Reply.redirect(f"{other_host.url}/signed?signature=1")
    hostile.on("GET", blob_path(LARGE), Reply.challenge('Basic realm="x"'), signed)
    other_host.on("GET", "/signed", Reply(200, LARGE))

    copier.copy(NAME, "1.0")

    (asked,) = other_host.asked()
    assert "Authorization" not in asked.headers
    assert hostile.asked(blob_path(LARGE))[-1].headers["Authorization"].startswith("Basic ")


def test_foreign_layers_are_never_fetched(copier: Copier, hostile: Hostile, other_host: Hostile) -> None:
    foreign = {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": digest_of(b"windows"),
        "size": 7,
        "urls": [f"{other_host.url}/windows"],
    }
    serve(hostile, "2.0", parts={"layers": [foreign]})

    with suppress(Refused):  # registries may not take them
        copier.copy(NAME, "2.0")

    assert other_host.asked() == []
    assert hostile.asked(blob_path(b"windows")) == []


def test_a_head_without_a_digest_is_made_up_for(copier: Copier, hostile: Hostile) -> None:
    digest = serve(hostile, "1.0")
    path = f"/v2/{NAME}/manifests/1.0"
    hostile.on("HEAD", path, Reply(200, b"x" * 10, {"Content-Type": "text/plain"}))

    found = head(copier.source, APP, parse_tag("1.0"))

    assert found is not None
    assert (str(found.digest), found.pulled) == (digest, True)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "76;w=21600"}, (76, 100, 21600)),
        ({"ratelimit-remaining": "0"}, (0, None, 0)),
        ({"RateLimit-Remaining": "many"}, None),
        ({}, None),
    ],
)
def test_what_is_left_of_a_quota_is_read(
    copier: Copier, hostile: Hostile, headers: dict[str, str], said: tuple[Any, ...] | None
) -> None:
    serve(hostile, "1.0")
    reply = Reply(200, b"", {"Docker-Content-Digest": digest_of(b"x"), **headers})
    hostile.on("HEAD", f"/v2/{NAME}/manifests/1.0", reply)

    head(copier.source, APP, parse_tag("1.0"))

    quota = copier.source.transport.quota
    assert (quota and (quota.remaining, quota.limit, quota.window)) == said


def test_two_images_at_once_send_what_they_share_once(copier: Copier, hostile: Hostile, target: RealRegistry) -> None:
    first = serve(hostile, "1.0", layers=[LARGE, b"a"])
    second = serve(hostile, "2.0", layers=[LARGE, b"b"])

    copier.copy(NAME, "1.0")
    copier.copy(NAME, "2.0")

    assert len(hostile.asked(blob_path(LARGE))) == 1
    there = Pusher(target.url, NAME)
    assert [digest_of(there.fetch(tag)) for tag in ("1.0", "2.0")] == [first, second]


@pytest.mark.parametrize(
    ("refusal", "is_over"),
    [
        (Reply(404, b"404 page not found\n"), True),
        (Reply.errors(405, "UNSUPPORTED"), True),
        (Reply.errors(404, "MANIFEST_UNKNOWN"), False),
        (Reply.errors(400, "DIGEST_INVALID"), False),
    ],
    ids=["no such path", "unsupported", "unknown", "invalid"],
)
def test_referrers_that_are_refused_of_one_image_are_asked_for_of_the_next(
    copier: Copier, hostile: Hostile, refusal: Reply, *, is_over: bool
) -> None:
    first, second = serve(hostile, "1.0", layers=[b"first"]), serve(hostile, "2.0", layers=[b"second"])
    signature = serve(hostile, layers=[b"signed"], parts={"subject": {**SUBJECT, "digest": second}})
    listed = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [{**SUBJECT, "digest": signature}]}
    hostile.on("GET", f"/v2/{NAME}/referrers/{first}", refusal)
    hostile.on("GET", f"/v2/{NAME}/referrers/{second}", Reply.json(listed))

    for tag in ("1.0", "2.0"):
        copier.copy(NAME, tag, wanted=Wanted(tags=()))

    assert bool(hostile.asked(f"/v2/{NAME}/referrers/{second}")) is not is_over
    assert copier.target.manifest_exists(APP, Digest.parse(signature)) is not is_over
