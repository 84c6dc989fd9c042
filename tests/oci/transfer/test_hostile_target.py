"""Targets that take uploads in their own way, and some that lose them: what is stored is whole, or it is not stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Barrier, BrokenBarrierError
from typing import Final

import pytest

from oci.auth import Credentials
from oci.client import RegistryClient
from oci.errors import BadAnswer, Denied, DigestMismatch, Refused, RegistryError, TooLarge, TooManyRequests, Unavailable
from oci.names import Digest, parse_repository, parse_tag
from oci.transfer.sides import Side, side_of
from oci.transport import Endpoint
from tests.hostile import Asked, Hostile, Raw, Reply
from tests.oci.transfer.copier import Copier
from tests.oci.transfer.serving import (
    NAME,
    UPLOADS,
    Uploads,
    blob_path,
    digest_of,
    of_uploads,
    serve,
    serve_index,
    taking,
)

APP = parse_repository(NAME)
LARGE: Final = bytes(range(256)) * 36 * 1024  # 9 MiB
MANIFESTS: Final = f"/v2/{NAME}/manifests/"
SILENT: Final = Reply(201)


@pytest.fixture
def source() -> Iterator[Hostile]:
    with Hostile() as source:
        serve(source, "1.0", layers=[LARGE])
        yield source


@pytest.fixture
def copier(source: Hostile, hostile: Hostile) -> Iterator[Copier]:
    """To the hostile one, which takes manifests and blobs until it is told otherwise."""
    hostile.otherwise(taking)
    with ExitStack() as stack:
        target = Endpoint(hostile.url, credentials=Credentials("mara", "canary-password"))
        clients = [stack.enter_context(RegistryClient(one)) for one in (Endpoint(source.url), target)]
        yield stack.enter_context(Copier(*clients))


def test_a_large_blob_goes_as_a_stream_that_is_closed(copier: Copier, hostile: Hostile) -> None:
    target = Uploads(hostile)

    copier.copy(NAME, "1.0")

    assert target.taken == {digest_of(content): content for content in (b"{}", LARGE)}
    (streamed,) = of_uploads(hostile, "PATCH")
    assert streamed.body == LARGE
    assert streamed.headers["Content-Length"] is None
    assert sorted(len(asked.body) for asked in of_uploads(hostile, "PUT")) == [0, 2]
    assert hostile.asked()[-1].path == f"/v2/{NAME}/manifests/1.0", "the tag comes last"


@pytest.mark.parametrize(
    ("most", "least", "largest"), [(4 * 2**20, 0, 4 * 2**20), (2**20, 0, 2**20), (8 * 2**20, 5 * 2**20, 5 * 2**20)]
)
def test_a_registry_that_takes_no_large_request_gets_chunks(
    copier: Copier, hostile: Hostile, most: int, least: int, largest: int
) -> None:
    target = Uploads(hostile, most, least)

    copier.copy(NAME, "1.0")

    assert target.taken[digest_of(LARGE)] == LARGE
    whole = target.sizes[: len(LARGE) // largest]
    assert set(whole) == {largest}
    streamed = [asked for asked in of_uploads(hostile, "PATCH") if asked.headers["Content-Length"] is None]
    assert len(streamed) == 1, "it was tried once, and remembered"
    assert target.left == {}


@pytest.mark.parametrize("arrived", [True, False])
def test_a_chunk_whose_answer_was_lost(copier: Copier, hostile: Hostile, *, arrived: bool) -> None:
    """One that did not arrive is sent again; of one that did, the upload is begun anew: it would stand there twice."""
    target = Uploads(hostile, 4 * 2**20)
    lost = iter((2,))

    def patch(asked: Asked) -> Reply | Raw:
        if len(target.sizes) == 1 and next(lost, None):
            if arrived:
                target.patch(asked)
            return Raw(b"")
        return target.patch(asked)

    target.answers["PATCH"] = patch

    copier.copy(NAME, "1.0")

    assert next(lost, None) is None
    assert target.taken[digest_of(LARGE)] == LARGE


@pytest.mark.parametrize(
    "location", ["{path}", "{number}", "{url}{path}", "http://127.0.0.1{path}", "https://127.0.0.1{path}"]
)
def test_a_location_in_every_spelling(copier: Copier, hostile: Hostile, location: str) -> None:
    """Relative, absolute, and without the port or the scheme of the proxy before it."""
    target = Uploads(hostile, location=location)

    copier.copy(NAME, "1.0")

    assert len(target.taken) == 2


def test_nothing_goes_to_where_an_upload_leads_away(copier: Copier, hostile: Hostile, other_host: Hostile) -> None:
    Uploads(hostile, location=other_host.url + "{path}")

    with pytest.raises(BadAnswer, match="leads away"):
        copier.copy(NAME, "1.0")

    assert other_host.asked() == []


def test_a_token_that_was_refused_in_a_stream_is_renewed(copier: Copier, hostile: Hostile) -> None:
    """A stream goes only once, so all of it is sent again."""
    target = Uploads(hostile)
    refusals = iter([Reply.challenge('Basic realm="x"')])
    target.answers["PATCH"] = lambda asked: next(refusals, None) or target.patch(asked)

    copier.copy(NAME, "1.0")

    assert [asked.headers["Authorization"] is None for asked in of_uploads(hostile, "PATCH")] == [True, False]
    assert target.taken[digest_of(LARGE)] == LARGE
    assert target.left == {}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 416])
def test_a_mount_that_is_refused_is_an_upload(source: Hostile, hostile: Hostile, status: int) -> None:
    hostile.otherwise(taking)
    target = Uploads(hostile)
    mount = f"{UPLOADS}?mount={digest_of(LARGE).replace(':', '%3A')}&from=team%2Fbase"
    hostile.on("POST", mount, Reply.errors(status, "UNSUPPORTED"))
    with (
        RegistryClient(Endpoint(source.url)) as one,
        RegistryClient(Endpoint(hostile.url)) as other,
        Copier(one, other, homes=lambda _: [parse_repository("team/base")]) as copier,
    ):
        copied = copier.copy(NAME, "1.0")

    assert len(target.taken) == 2
    assert (copied.sent, copied.mounted) == (2, 0)


def test_an_upload_that_is_opened_in_place_of_a_mount_is_used(source: Hostile, hostile: Hostile) -> None:
    hostile.otherwise(taking)
    target = Uploads(hostile)
    with (
        RegistryClient(Endpoint(source.url)) as one,
        RegistryClient(Endpoint(hostile.url)) as other,
        Copier(one, other, homes=lambda _: [parse_repository("team/base")]) as copier,
    ):
        copier.copy(NAME, "1.0")

    assert len(target.taken) == 2
    assert len([asked for asked in hostile.asked(UPLOADS) if "mount" in asked.query]) == 1, "the large one is worth it"
    assert len({asked.path for asked in of_uploads(hostile, "PUT")}) == 2
    assert target.left == {}


@pytest.mark.parametrize(
    ("reply", "error", "times"),
    [
        (Reply.errors(403, "DENIED"), Denied, 1),
        (Reply.errors(429, "TOOMANYREQUESTS", Retry_After="1"), TooManyRequests, 1),
        (Reply.errors(507, "UNKNOWN"), Unavailable, 3),
        (Reply.errors(400, "DIGEST_INVALID"), RegistryError, 1),
    ],
    ids=["denied", "told to wait", "full", "another digest"],
)
def test_an_upload_that_is_refused_leaves_nothing(
    copier: Copier, hostile: Hostile, reply: Reply, error: type[RegistryError], times: int
) -> None:
    Uploads(hostile).answers["PUT"] = reply

    with pytest.raises(error) as raised:
        copier.copy(NAME, "1.0")

    copier.blobs.close()
    assert side_of(raised.value) is Side.TARGET
    closed = Counter(asked.query for asked in of_uploads(hostile, "PUT"))
    assert max(closed.values()) == times
    assert {asked.path for asked in of_uploads(hostile, "PUT")} <= {one.path for one in of_uploads(hostile, "DELETE")}
    assert not [one for one in hostile.asked() if "/manifests/" in one.path and one.method == "PUT"]


def test_a_target_that_has_less_than_it_says_is_given_all(copier: Copier, hostile: Hostile) -> None:
    """As after a sweep under its cache: a HEAD finds the blob, and the manifest is refused."""
    target = Uploads(hostile)
    hostile.on("HEAD", blob_path(LARGE), Reply(200))
    digest = serve(hostile)  # only for its digest
    hostile.requests.clear()

    def unless_whole(asked: Asked) -> Reply:
        return taking(asked) if digest_of(LARGE) in target.taken else Reply.errors(400, "MANIFEST_BLOB_UNKNOWN")

    root = copier.source.manifest(APP, "1.0")  # type: ignore[arg-type]
    assert root
    assert digest
    hostile.on("PUT", f"/v2/{NAME}/manifests/{root.digest}", unless_whole)

    copied = copier.copy(NAME, "1.0")

    assert Digest.parse(digest_of(LARGE)) not in [blob.digest for blob in copied.unread]
    assert target.taken[digest_of(LARGE)] == LARGE


def test_two_indexes_at_once_put_the_image_that_both_list_once(
    copier: Copier, source: Hostile, hostile: Hostile
) -> None:
    """distribution has it not for a moment while it is put again, and refuses the index that comes right then."""
    Uploads(hostile)
    child = serve(source, layers=[b"shared"])
    for tag in ("1", "2"):
        serve_index(source, tag, children=[child], annotations={"n": tag})
    both_have_asked = Barrier(2)

    def missing(_: Asked) -> Reply:
        both_have_asked.wait(10)
        return Reply(404)

    hostile.on("HEAD", f"/v2/{NAME}/manifests/{child}", missing)
    with ThreadPoolExecutor() as pool:
        list(pool.map(copier.copy, (NAME, NAME), ("1", "2")))

    puts = Counter(asked.path for asked in hostile.asked() if asked.method == "PUT")
    assert [puts[f"/v2/{NAME}/manifests/{target}"] for target in (child, "1", "2")] == [1, 1, 1]


def of_stored(target: Hostile, kind: str) -> list[str]:
    """What was asked of a kind, blobs or manifests, after something of it was put."""
    asked = [one for one in target.asked() if f"/{kind}/" in one.path]
    first = next(place for place, one in enumerate(asked) if one.method == "PUT")
    return [one.method for one in asked[first:] if UPLOADS not in one.path]


def test_what_a_registry_says_that_it_stored_is_not_asked_for(copier: Copier, hostile: Hostile) -> None:
    Uploads(hostile)

    copier.copy(NAME, "1.0")

    assert of_stored(hostile, "manifests") == ["PUT", "PUT"]
    assert len(hostile.asked(blob_path(LARGE))) == 1, "before it was sent"


def test_what_a_registry_stored_without_a_word_is_asked_for(copier: Copier, hostile: Hostile) -> None:
    target = Uploads(hostile)
    target.answers["PUT"] = lambda asked: Reply(target.put(asked).status)
    root = copier.source.manifest(APP, parse_tag("1.0"))
    assert root
    said = {"Docker-Content-Digest": str(root.digest)}
    hostile.on("PUT", f"{MANIFESTS}{root.digest}", SILENT)
    hostile.on("PUT", f"{MANIFESTS}1.0", SILENT)
    hostile.on("HEAD", f"{MANIFESTS}{root.digest}", Reply(200, root.content, said))
    hostile.on("HEAD", f"{MANIFESTS}1.0", Reply(200, root.content))
    hostile.on("GET", f"{MANIFESTS}1.0", Reply(200, root.content))
    for content in (b"{}", LARGE):
        hostile.on("HEAD", blob_path(content), Reply(404), Reply(200, content))

    copied = copier.copy(NAME, "1.0")

    assert copied.sent == 2
    assert of_stored(hostile, "manifests") == ["PUT", "HEAD", "PUT", "HEAD", "GET"]
    assert [one.method for one in hostile.asked(blob_path(LARGE))] == ["HEAD", "HEAD"]


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (Reply(404), BadAnswer),
        (Reply(200, b"other", {"Docker-Content-Digest": digest_of(b"other")}), DigestMismatch),
        (Reply(200, b"other"), BadAnswer),
        (Reply(403), Denied),
    ],
    ids=["none", "another by its digest", "another by its length", "not to be looked at"],
)
def test_a_blob_that_is_not_there_after_all_ends_the_image(
    copier: Copier, hostile: Hostile, found: Reply, error: type[RegistryError]
) -> None:
    target = Uploads(hostile)
    target.answers["PUT"] = lambda asked: Reply(target.put(asked).status)
    hostile.on("HEAD", blob_path(LARGE), Reply(404), found)
    hostile.on("HEAD", blob_path(b"{}"), Reply(200))

    with pytest.raises(error) as raised:
        copier.copy(NAME, "1.0")

    assert side_of(raised.value) is Side.TARGET
    assert not [one for one in hostile.asked() if MANIFESTS in one.path and one.method == "PUT"]


@pytest.mark.parametrize(
    ("head", "get", "error"),
    [
        (Reply(404), Reply(404), BadAnswer),
        (Reply(200, headers={"Docker-Content-Digest": digest_of(b"other")}), Reply(404), DigestMismatch),
        (Reply(200), Reply(200, b"other"), DigestMismatch),
        (Reply(200), Reply(404), BadAnswer),
        (Reply(200), Reply(200, b"x" * (4 * 2**20 + 1)), TooLarge),
    ],
    ids=["none", "another by its digest", "another by its bytes", "none to read", "one without an end"],
)
@pytest.mark.parametrize("by_tag", [False, True])
def test_a_manifest_that_is_not_there_after_all_ends_the_image(  # noqa: PLR0913  each is one of two registries' words
    copier: Copier, hostile: Hostile, head: Reply, get: Reply, error: type[RegistryError], *, by_tag: bool
) -> None:
    Uploads(hostile)
    root = copier.source.manifest(APP, parse_tag("1.0"))
    assert root
    path = f"{MANIFESTS}{'1.0' if by_tag else root.digest}"
    hostile.on("PUT", path, SILENT)
    hostile.on("HEAD", path, head)
    hostile.on("GET", path, get)

    with pytest.raises(error) as raised:
        copier.copy(NAME, "1.0")

    assert side_of(raised.value) is Side.TARGET
    assert by_tag or hostile.asked(f"{MANIFESTS}1.0") == []


@pytest.mark.parametrize("said", [digest_of(b"other"), "sha512:" + "0" * 128])
def test_a_manifest_that_was_stored_as_another_ends_the_image(copier: Copier, hostile: Hostile, said: str) -> None:
    Uploads(hostile)
    hostile.otherwise(
        lambda asked: Reply(201 if asked.method == "PUT" else 404, headers={"Docker-Content-Digest": said})
    )

    with pytest.raises(DigestMismatch):
        copier.copy(NAME, "1.0")

    assert hostile.asked(f"{MANIFESTS}1.0") == []


def test_a_blob_that_was_stored_as_another_ends_the_image(copier: Copier, hostile: Hostile) -> None:
    Uploads(hostile).answers["PUT"] = Reply(201, headers={"Docker-Content-Digest": digest_of(b"other")})

    with pytest.raises(DigestMismatch):
        copier.copy(NAME, "1.0")

    assert not [one for one in hostile.asked() if MANIFESTS in one.path and one.method == "PUT"]


def test_a_digest_of_another_algorithm_says_nothing_of_a_blob(copier: Copier, hostile: Hostile) -> None:
    """As distribution answers with SHA-256, whatever was asked for."""
    target = Uploads(hostile)
    other = {"Docker-Content-Digest": f"sha512:{'0' * 128}"}
    target.answers["PUT"] = lambda asked: Reply(target.put(asked).status, headers=other)
    for content in (b"{}", LARGE):
        hostile.on("HEAD", blob_path(content), Reply(404), Reply(200, content, other))

    assert copier.copy(NAME, "1.0").sent == 2


@pytest.mark.parametrize("found", [Reply(404), Reply(200, LARGE)], ids=["not linked", "linked"])
def test_a_mount_without_a_word_of_what_was_linked_is_looked_at(
    source: Hostile, hostile: Hostile, found: Reply
) -> None:
    hostile.otherwise(taking)
    target = Uploads(hostile)
    hostile.on("POST", f"{UPLOADS}?mount={digest_of(LARGE).replace(':', '%3A')}&from=team%2Fbase", SILENT)
    hostile.on("HEAD", blob_path(LARGE), Reply(404), found)
    with (
        RegistryClient(Endpoint(source.url)) as one,
        RegistryClient(Endpoint(hostile.url)) as other,
        Copier(one, other, homes=lambda _: [parse_repository("team/base")]) as copier,
    ):
        copied = copier.copy(NAME, "1.0")

    assert copied.mounted == (found.status == 200)
    assert (digest_of(LARGE) in target.taken) == (found.status == 404)


def test_two_that_put_an_image_anew_at_once_both_hear_why_it_is_refused(
    copier: Copier, source: Hostile, hostile: Hostile
) -> None:
    Uploads(hostile)
    child = serve(source, layers=[b"shared"])
    for tag in ("1", "2"):
        serve_index(source, tag, children=[child], annotations={"n": tag})
    both_put_it, puts = Barrier(2), iter(range(9))

    def refused(_: Asked) -> Reply:
        if next(puts):  # after the first, which both rest on
            with suppress(BrokenBarrierError):
                both_put_it.wait(2)
        return Reply.errors(400, "MANIFEST_BLOB_UNKNOWN")

    hostile.on("PUT", f"/v2/{NAME}/manifests/{child}", refused)
    with ThreadPoolExecutor() as pool:
        copies = [pool.submit(copier.copy, NAME, tag) for tag in ("1", "2")]

    assert [type(copy.exception()) for copy in copies] == [Refused, Refused]
