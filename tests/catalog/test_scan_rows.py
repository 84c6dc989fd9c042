"""The rows of docs/threats that a scan meets, each test named by its row: a state with a reason, and never a loss.

Whatever a registry answers, the scan ends in bounded requests and time, and nothing is gone that no complete listing
lacked. What test_scan_hostile has already is not repeated here.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.models import Manifest, Presence, Repository, Scan, Tag
from jobs.models import Job
from oci.transport import Transport
from registries.models import Registry
from tests.catalog.picture import check_counters, picture
from tests.catalog.scanning import last_scan, scan
from tests.catalog.serving import digest_of, image, serve, serve_manifest
from tests.hostile import Asked, Hostile, Raw, Reply
from tests.pushing import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from tests.storage_layout import StorageLayout

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = base64.b64encode(b"berth:hunter2").decode()


@pytest.fixture
def row(hostile_row: Registry) -> Registry:
    return hostile_row


@pytest.fixture
def with_password(row: Registry) -> Registry:
    row.username, row.password = "berth", "hunter2"
    row.save()
    return row


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines of less than a second instead of a minute."""
    defaults = Transport.__init__.__kwdefaults__ or {}
    for name in ("connect", "read", "total"):
        monkeypatch.setitem(defaults, name, 0.4)


def live() -> set[tuple[str, str]]:
    return set(Tag.objects.live().values_list("repository__name", "name"))


def nothing_is_gone() -> bool:
    return not (
        Tag.objects.exclude(gone_at=None).exists()
        or Repository.objects.exclude(gone_at=None, missed=0).exists()
        or Presence.objects.exclude(gone_at=None).exists()
    )


def asks_for_password(hostile: Hostile, path: str, reply: Reply) -> None:
    challenge = Reply.challenge('Basic realm="registry"')
    hostile.on("GET", path, lambda asked: reply if "Authorization" in asked.headers else challenge)


def index_of(*children: tuple[str, str]) -> dict[str, Any]:
    manifests = [{"mediaType": media_type, "digest": digest, "size": 400} for media_type, digest in children]
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}


# Where credentials go, and where requests do


@pytest.mark.parametrize("scheme", ['Bearer realm="{url}/token",service="x"', 'bearer realm="{url}/token"'])
def test_s02_a_token_service_elsewhere_hears_nothing(
    with_password: Registry, hostile: Hostile, other_host: Hostile, scheme: str
) -> None:
    serve(hostile, app=["1"])
    scan(with_password)
    before = picture()
    hostile.on("GET", "/v2/_catalog", Reply.challenge(scheme.format(url=other_host.url)))
    hostile.on("GET", "/v2/", Reply.challenge(scheme.format(url=other_host.url)))

    job = scan(with_password)

    assert job.state == Job.State.FAILED
    assert "a token of 127.0.0.1, which is not pinned" in job.message
    assert "/token" not in job.message
    assert not other_host.requests
    assert not any("Authorization" in request.headers for request in hostile.requests)
    assert picture() == before


def test_s02_a_token_service_that_moves_away_during_a_scan_hears_nothing(
    with_password: Registry, hostile: Hostile, other_host: Hostile
) -> None:
    serve(hostile, app=["1", "2"], bad=["1"])
    hostile.on("GET", "/v2/bad/manifests/1", Reply.challenge(f'Bearer realm="{other_host.url}/token"'))

    scan(with_password)

    assert not other_host.requests
    assert Tag.objects.get(repository__name="bad").problem
    assert Tag.objects.filter(problem="").count() == 2


@pytest.mark.parametrize("source", ["api", "folder"])
def test_s03_addresses_of_foreign_layers_are_never_fetched(
    row: Registry, hostile: Hostile, other_host: Hostile, source: str, tmp_path: Path
) -> None:
    document = image()
    document["config"]["urls"] = [f"{other_host.url}/config"]
    document["layers"][0] |= {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "urls": [f"{other_host.url}/layer", "file:///etc/passwd"],
    }
    serve(hostile, app=["1"])
    serve_manifest(hostile, "app", document, "1")
    if source == "folder":
        layout = StorageLayout(tmp_path / "root")
        layout.manifest("app", document, "1")
        layout.layer("app", b"{}")
        use_folder(row, hostile, layout)

    scan(row)

    assert last_scan().source == source
    assert not other_host.requests
    assert Presence.objects.get().state == Presence.State.WHOLE
    assert Manifest.objects.get().layer_count == 1


def test_s06_a_config_that_lies_elsewhere_is_fetched_without_the_password(
    with_password: Registry, hostile: Hostile, other_host: Hostile
) -> None:
    serve(hostile, app=["1"])
    asks_for_password(hostile, "/v2/app/tags/list", Reply.json({"tags": ["1"]}))
    hostile.on("GET", f"/v2/app/blobs/{digest_of(b'{}')}", Reply.redirect(f"{other_host.url}/stored"))
    other_host.on("GET", "/stored", Reply(200, b"{}"))

    scan(with_password)

    assert any(request.headers["Authorization"] == f"Basic {SECRET}" for request in hostile.requests)
    assert [request.headers["Authorization"] for request in other_host.requests] == [None]
    assert Manifest.objects.get().config_state == "read"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_s06_redirects_in_a_circle_are_a_fact_of_one_image(row: Registry, hostile: Hostile, status: int) -> None:
    serve(hostile, app=["1"])
    path = f"/v2/app/blobs/{digest_of(b'{}')}"
    hostile.on("GET", path, Reply.redirect(f"{path}?again", status))

    assert scan(row).state == Job.State.DONE

    assert Presence.objects.get().state == Presence.State.NO_CONFIG
    assert len(hostile.asked(path)) <= 6
    assert nothing_is_gone()


def test_s07_no_name_changes_what_is_asked_for(row: Registry, hostile: Hostile) -> None:
    bad = [
        "a/../../_catalog",
        "..",
        ".",
        "%2e%2e",
        "a%2fb",
        "a?n=1",
        "a#b",
        "a\\b",
        "/etc",
        "a/",
        "a//b",
        "a\r\nb",
    ]
    serve(hostile, app=["1"])
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": [*bad, "app"]}))
    hostile.on("GET", "/v2/app/tags/list", Reply.json({"tags": [*bad, "1"]}))
    for digest in (
        "sha256:../../x",
        f"sha256:{'A' * 64}",
        f"md5:{'a' * 32}",
        "sha256:",
        "latest",
        f"sha256:{'a' * 64}\n",
    ):
        hostile.on("GET", f"/v2/app/manifests/{len(digest)}", Reply.json(index_of((OCI_MANIFEST, digest))))

    scan(row)

    digest = digest_of(b"{}")
    allowed = {"/v2/_catalog", "/v2/app/tags/list", "/v2/app/manifests/1", f"/v2/app/blobs/{digest}"}
    assert {request.path for request in hostile.requests} == allowed
    assert (last_scan().rejected_names, last_scan().complete) == (2 * len(bad), True)
    assert live() == {("app", "1")}


@pytest.mark.parametrize("digest", ["sha256:../../x", f"sha256:{'A' * 64}", f"md5:{'a' * 32}", f"sha256:{'a' * 64}\n"])
def test_s07_no_digest_in_a_document_is_asked_for_unless_it_is_one(
    row: Registry, hostile: Hostile, digest: str
) -> None:
    serve(hostile, app=["1", "2"])
    serve_manifest(hostile, "app", index_of((OCI_MANIFEST, digest)), "1", media_type=OCI_INDEX)
    document = image()
    document["config"]["digest"] = digest
    serve_manifest(hostile, "app", document, "2")

    scan(row)

    assert {request.path for request in hostile.requests} == {
        "/v2/_catalog",
        "/v2/app/tags/list",
        "/v2/app/manifests/1",
        "/v2/app/manifests/2",
    }
    assert set(Presence.objects.values_list("state", flat=True)) == {Presence.State.UNREADABLE}


@pytest.mark.parametrize("link", ["/v2/other/tags/list?last=1", "{other}/v2/_catalog", "//evil/v2/_catalog", "../../x"])
def test_s07_the_next_page_is_of_the_same_list(row: Registry, hostile: Hostile, other_host: Hostile, link: str) -> None:
    serve(hostile, app=["1"])
    scan(row)
    before = picture()
    following = f'<{link.format(other=other_host.url)}>; rel="next"'
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["app"]}, Link=following))

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "lead" in job.message
    assert not other_host.requests
    assert picture() == before


# Answers that are none

STRANGE: dict[str, Reply | Raw] = {
    "HTML": Reply(200, b"<html>sign in</html>", {"Content-Type": "text/html"}),
    "another type": Reply.json([["app"]]),
    "null": Reply.json(None),
    "no body": Reply(200, b""),
    "204": Reply(204),
    "206": Reply(206, b"{}"),
    "500": Reply(500, b"oh no"),
    "503": Reply(503, b"", {"Retry-After": "0"}),
    "429": Reply.errors(429, "TOOMANYREQUESTS", Retry_After="0"),
    "a redirect": Reply.redirect("/login", 302),
    "no end": Reply(200, b'{"tags": ["1"', announced=1000),
    "no HTTP": Raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "nothing": Raw(b""),
    "brackets": Reply(200, b"[" * 100_000, {"Content-Type": "application/json"}),
    "a bomb": Reply(200, gzip.compress(b"0" * 2**25), {"Content-Encoding": "gzip"}),
}
each_strange = pytest.mark.parametrize("answer", STRANGE.values(), ids=STRANGE)
TRIES = 3


@each_strange
def test_s08_a_catalog_that_is_none_fails_the_scan_and_changes_nothing(
    row: Registry, hostile: Hostile, answer: Reply | Raw
) -> None:
    serve(hostile, app=["1", "2"])
    scan(row)
    before, asked = picture(), len(hostile.requests)
    hostile.on("GET", "/v2/_catalog", answer)

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert job.message
    assert "mistake" not in job.message
    assert len(hostile.requests) - asked <= 2 * TRIES
    assert picture() == before
    assert last_scan().finished_at is not None


@each_strange
def test_s08_tags_that_are_none_are_a_fact_of_one_repository(
    row: Registry, hostile: Hostile, answer: Reply | Raw
) -> None:
    serve(hostile, app=["1", "2"], good=["1"])
    scan(row)
    asked = len(hostile.requests)
    hostile.on("GET", "/v2/app/tags/list", answer)

    assert scan(row).state == Job.State.DONE

    app = Repository.objects.get(name="app")
    assert (app.state, app.tag_count) == (Repository.State.FAILED, 2)
    assert app.problem
    assert len(hostile.requests) - asked <= 3 + 2 * TRIES
    assert nothing_is_gone()


@each_strange
def test_s08_a_manifest_that_is_none_is_a_fact_of_one_tag(row: Registry, hostile: Hostile, answer: Reply | Raw) -> None:
    serve(hostile, app=["1", "2"])
    scan(row)
    held = Presence.objects.get()
    asked = len(hostile.requests)
    hostile.on("GET", "/v2/app/manifests/1", answer)

    assert scan(row).state == Job.State.DONE

    tag = Tag.objects.get(name="1")
    # Bytes that came whole, with a status of 200, are what it points to now, however little sense they make.
    if tag.presence != held:
        assert tag.presence is not None
        assert tag.presence.state == Presence.State.UNREADABLE
    else:
        assert tag.problem
    assert len(hostile.requests) - asked <= 4 + 2 * TRIES
    assert live() == {("app", "1"), ("app", "2")}
    check_counters()


@each_strange
def test_s08_a_config_that_is_none_is_a_fact_of_one_image(row: Registry, hostile: Hostile, answer: Reply | Raw) -> None:
    serve(hostile, app=["1"])
    path = f"/v2/app/blobs/{digest_of(b'{}')}"
    hostile.on("GET", path, answer)

    assert scan(row).state == Job.State.DONE

    assert Presence.objects.get().state == Presence.State.NO_CONFIG
    assert len(hostile.asked(path)) <= 2 * TRIES
    hostile.on("GET", path, Reply(200, b"{}"))
    scan(row)
    assert Presence.objects.get().state == Presence.State.WHOLE
    assert Manifest.objects.get().config_state == "read"


@pytest.mark.parametrize("path", ["/v2/_catalog", "/v2/app/tags/list", "/v2/app/manifests/1"])
def test_s08_a_registry_that_wants_to_be_left_alone_for_an_hour_is_not_waited_for(
    row: Registry, hostile: Hostile, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oci.pace.LONGEST_PAUSE", 0.1)
    serve(hostile, app=["1", "2"])
    scan(row)
    before = live()
    hostile.on("GET", path, Reply.errors(429, "TOOMANYREQUESTS", Retry_After="3600"))
    asked = len(hostile.asked(path))

    job = scan(row)

    assert job.state == (Job.State.FAILED if path == "/v2/_catalog" else Job.State.DONE)
    assert len(hostile.asked(path)) == asked + 1
    assert live() == before
    assert last_scan().busy_answers == 1


@pytest.mark.parametrize(
    "answer",
    [Raw(b""), Reply.errors(429, "TOOMANYREQUESTS", Retry_After="0"), Reply(503, b"", {"Retry-After": "0"})],
    ids=["silence", "429", "503"],
)
def test_s08_a_registry_that_answers_nobody_any_more_is_left_after_a_while(
    row: Registry, hostile: Hostile, answer: Reply | Raw
) -> None:
    tags = [str(number) for number in range(200)]
    serve(hostile, app=tags, good=["1"])
    scan(row)
    before, asked = picture(), len(hostile.requests)
    for tag in tags:
        hostile.on("GET", f"/v2/app/manifests/{tag}", answer)

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "25 requests in a row" in job.message
    assert len(hostile.requests) - asked < 150
    assert picture() == before
    assert last_scan().at_once < 4  # of the four that a scan begins with


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b" " * 1000, {"Content-Type": "application/json"}, pause=0.05),
        Raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000, pause=0.05),
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 300, pause=0.02),
        Reply(200, b"{}", delay=30),
    ],
    ids=["a body that drips", "headers without end", "chunks without end", "silence"],
)
@pytest.mark.parametrize("path", ["/v2/slow/tags/list", "/v2/slow/manifests/1", f"/v2/slow/blobs/{digest_of(b'{}')}"])
def test_s09_whatever_drips_ends_at_its_deadline_and_the_rest_is_read(
    row: Registry, hostile: Hostile, answer: Reply | Raw, path: str
) -> None:
    serve(hostile, good=["1", "2"], slow=["1"])
    hostile.on("GET", path, answer)
    began = time.monotonic()

    assert scan(row).state == Job.State.DONE

    assert time.monotonic() - began < 8
    assert live() >= {("good", "1"), ("good", "2")}
    assert Presence.objects.get(repository__name="good").state == Presence.State.WHOLE
    assert nothing_is_gone()


# Documents that were made to hurt


def use_folder(row: Registry, hostile: Hostile, layout: StorageLayout) -> None:
    """Read this from now on: the registry plays the one it belongs to, and takes uploads."""
    two = {"Content-Type": "application/json; charset=utf-8", "Docker-Distribution-Api-Version": "registry/2.0"}
    hostile.on("GET", "/v2/", Reply(200, b"{}", two))
    uuid = "8c9e2a10-0000-4000-8000-000000000001"

    def begin(asked: Asked) -> Reply:
        name = asked.path.removeprefix("/v2/").removesuffix("/blobs/uploads/")
        layout.upload(name, uuid)
        return Reply(202, headers={"Location": f"{asked.path}{uuid}", "Docker-Upload-UUID": uuid})

    for repository in layout.repositories.glob("**/_layers"):
        name = repository.parent.relative_to(layout.repositories)
        hostile.on("POST", f"/v2/{name}/blobs/uploads/", begin)
        hostile.on("DELETE", f"/v2/{name}/blobs/uploads/{uuid}", Reply(204))
    Registry.objects.filter(pk=row.pk).update(storage=str(layout.root))
    row.refresh_from_db()


class Place:
    """Where documents are put: behind an API, or in a folder."""

    def __init__(self, source: str, row: Registry, hostile: Hostile, layout: StorageLayout) -> None:
        self.source, self._row, self._hostile, self._layout = source, row, hostile, layout
        self._tags: list[str] = []

    def put(self, document: Any, *tags: str, media_type: str = OCI_MANIFEST) -> str:
        self._tags += tags
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self._layout.manifest("app", body, *tags)
        return serve_manifest(self._hostile, "app", body, *tags, media_type=media_type)

    def blob(self, content: bytes) -> dict[str, Any]:
        """The pointer to a config."""
        digest = self._layout.layer("app", content)
        self._hostile.on("GET", f"/v2/app/blobs/{digest}", Reply(200, content))
        return {"mediaType": OCI_CONFIG, "digest": digest, "size": len(content)}

    def scan(self) -> Scan:
        self._hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["app"]}))
        self._hostile.on("GET", "/v2/app/tags/list", Reply.json({"tags": self._tags}))
        if self.source == "folder":
            use_folder(self._row, self._hostile, self._layout)
        job = scan(self._row)
        assert (job.state, last_scan().source, last_scan().complete) == (Job.State.DONE, self.source, True), job.message
        check_counters()
        return last_scan()


@pytest.fixture(params=["api", "folder"])
def place(request: pytest.FixtureRequest, row: Registry, hostile: Hostile, tmp_path: Path) -> Place:
    made = Place(request.param, row, hostile, StorageLayout(tmp_path / "root"))
    made.blob(b"{}")
    return made


def states() -> dict[str, str]:
    return dict(Presence.objects.tagged().values_list("lead_tag", "state"))


def test_m01_indexes_a_thousand_deep_end(place: Place, hostile: Hostile) -> None:
    digest, media_type = place.put(image()), OCI_MANIFEST
    for _ in range(200):
        digest, media_type = place.put(index_of((media_type, digest)), media_type=OCI_INDEX), OCI_INDEX
    place.put(index_of((media_type, digest)), "deep", media_type=OCI_INDEX)

    place.scan()

    assert states() == {"deep": Presence.State.INCOMPLETE}
    assert len(hostile.requests) <= 12
    assert Manifest.objects.count() == 5


def test_m01_an_index_that_doubles_at_each_level_is_read_once(place: Place, hostile: Hostile) -> None:
    level = [(OCI_MANIFEST, place.put(image() | {"annotations": {"n": str(n)}})) for n in range(2)]
    for number in range(3):
        left, right = index_of(*level), index_of(*level, *level[:1])
        right["annotations"] = {"n": str(number)}
        level = [(OCI_INDEX, place.put(document, media_type=OCI_INDEX)) for document in (left, right)]
    place.put(index_of(*level), "doubled", media_type=OCI_INDEX)

    place.scan()

    assert states() == {"doubled": Presence.State.WHOLE}
    assert Manifest.objects.count() == 9
    assert len(hostile.requests) <= 14


def test_m01_more_children_than_any_index_has_are_refused(place: Place, hostile: Hostile) -> None:
    children = [(OCI_MANIFEST, digest_of(b"%d" % number)) for number in range(10_000)]
    place.put(index_of(*children), "many", media_type=OCI_INDEX)

    place.scan()

    assert states() == {"many": Presence.State.UNREADABLE}
    assert len(hostile.requests) <= 4


def test_m01_an_index_that_comes_back_for_each_of_its_children_is_no_circle(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"])
    lies = [digest_of(b"lie %d" % number) for number in range(5)]
    document = index_of(*[(OCI_INDEX, digest) for digest in lies])
    body = json.dumps(document).encode()
    serve_manifest(hostile, "app", body, "1", media_type=OCI_INDEX)
    for digest in lies:
        hostile.on("GET", f"/v2/app/manifests/{digest}", Reply(200, body, {"Content-Type": OCI_INDEX}))

    scan(row)

    assert states() == {"1": Presence.State.INCOMPLETE}
    assert len(hostile.requests) == 3 + 5
    assert Manifest.objects.count() == 1


def test_m02_layers_without_end_are_refused(place: Place) -> None:
    digests = [f"sha256:{number:064x}" for number in range(30_000)]
    layers = [{"mediaType": "a/b", "digest": digest, "size": 1} for digest in digests]
    place.put(json.dumps(image() | {"layers": layers}, separators=(",", ":")).encode(), "many")
    place.put(json.dumps(image() | {"layers": layers[:9_000]}).encode(), "bearable")

    place.scan()

    assert states() == {"many": Presence.State.UNREADABLE, "bearable": Presence.State.WHOLE}


def test_m02_a_manifest_above_four_megabytes_is_not_read(place: Place) -> None:
    place.put(image() | {"annotations": {"a": "b" * 2**22}}, "large")
    place.put(image(), "good")

    place.scan()

    assert re.search("4,?194,?304 bytes", Tag.objects.get(name="large").problem)
    assert states() == {"good": Presence.State.WHOLE}


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (lambda: json.dumps({"os": "linux", "history": [{"created_by": "x"}] * 400_000}).encode(), "read"),
        (lambda: json.dumps({"os": "linux", "config": {"Labels": {"a": "b" * 7_000_000}}}).encode(), "read"),
        (lambda: b"[" * 1_000_000, "malformed"),
        (lambda: b'{"os": ' + b"9" * 5_000 + b"}", "malformed"),
    ],
    ids=["a long history", "a large label", "brackets", "a long number"],
)
def test_m02_a_config_that_is_huge_is_bounded(place: Place, content: Callable[[], bytes], state: str) -> None:
    pointer = place.blob(content())
    place.put(image() | {"config": pointer}, "1")
    place.put(image(), "good")
    began = time.monotonic()

    place.scan()

    found = dict(Presence.objects.values_list("lead_tag", "manifest__config_state"))
    assert found["good"] == "read"
    assert found["1"] in {state, "malformed"}
    assert time.monotonic() - began < 5


def test_m02_a_config_that_is_larger_than_it_says_is_not_read(place: Place) -> None:
    pointer = place.blob(b" " * (9 * 2**20))
    place.put(image() | {"config": pointer | {"size": 100}}, "1")

    place.scan()

    assert states() == {"1": Presence.State.NO_CONFIG}


SIZES = ["-1", "9223372036854775808", "1e400", "NaN", "Infinity", '"12"', "12.5", "9" * 5_000, "true", "null", "[]"]


@pytest.mark.parametrize("where", ["config", "layer", "index"])
def test_m04_a_size_that_is_none_makes_the_image_unreadable(place: Place, where: str) -> None:
    for number, size in enumerate(SIZES):
        document = index_of((OCI_MANIFEST, digest_of(b"%d" % number))) if where == "index" else image()
        part = document["manifests" if where == "index" else "layers"][0] if where != "config" else document["config"]
        part["size"] = "SIZE"
        body = json.dumps(document).replace('"SIZE"', size).encode()
        place.put(body, f"t{number}", media_type=OCI_INDEX if where == "index" else OCI_MANIFEST)

    place.scan()

    assert states() == {f"t{number}": Presence.State.UNREADABLE for number in range(len(SIZES))}
    assert all(Presence.objects.values_list("problem", flat=True))


def test_m04_a_date_that_is_none_is_unknown(place: Place) -> None:
    days = ("0000-01-01", "9999-12-31", "0001-01-01", "2024-13-45", "-2024-01-01", "1970-01-01")
    dates = [*[f"{day}T00:00:00Z" for day in days], "yesterday", "9" * 400]
    for number, date in enumerate(dates):
        document = image() | {"config": place.blob(json.dumps({"os": "linux", "created": date}).encode())}
        place.put(document | {"annotations": {"org.opencontainers.image.created": date}}, f"t{number}")

    place.scan()

    assert set(states().values()) == {Presence.State.WHOLE}
    assert not Manifest.objects.exclude(created=None).exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:0],
        lambda body: body[:1],
        lambda body: body[: len(body) // 2],
        lambda body: body[:-1],
        lambda body: body + b"\n",
        lambda body: bytes([body[0] ^ 1]) + body[1:],
        lambda body: body[:-1] + bytes([body[-1] ^ 1]),
    ],
    ids=["0", "1", "half", "-1", "+1", "first bit", "last bit"],
)
@pytest.mark.parametrize("what", ["tag", "child", "config"])
def test_m06_bytes_that_are_not_those_of_the_digest_are_not_kept(
    place: Place, spoil: Callable[[bytes], bytes], what: str
) -> None:
    config = json.dumps({"os": "linux", "architecture": "spoilt"}).encode()
    spoilt = image() | {"config": place.blob(config)}
    body = config if what == "config" else json.dumps(spoilt).encode()
    digest = place.put(json.dumps(spoilt).encode(), *(["spoilt"] if what != "child" else []))
    if what == "child":
        place.put(index_of((OCI_MANIFEST, digest)), "spoilt", media_type=OCI_INDEX)
    place.put(image(), "good")
    wanted = digest_of(body)
    said = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": wanted}
    for target in (wanted, "spoilt") if what == "tag" else (wanted,):
        kind = "blobs" if what == "config" else "manifests"
        place._hostile.on("GET", f"/v2/app/{kind}/{target}", Reply(200, spoil(body), said))
    place._layout.data(wanted).write_bytes(spoil(body))

    place.scan()

    assert Presence.objects.get(lead_tag="good").state == Presence.State.WHOLE
    if what == "tag":
        assert Tag.objects.get(name="spoilt").problem
    else:
        kind = Presence.State.NO_CONFIG if what == "config" else Presence.State.INCOMPLETE
        assert states()["spoilt"] == kind
    assert not Manifest.objects.filter(architecture="spoilt").exists()
    assert Manifest.objects.filter(digest=wanted).count() == 0


def test_m06_a_tag_that_moves_between_two_requests_is_one_of_the_two(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"])
    bodies = [json.dumps(image() | {"annotations": {"n": str(n)}}).encode() for n in range(2)]
    said = {"Content-Type": OCI_MANIFEST}
    hostile.on("GET", "/v2/app/manifests/1", *[Reply(200, body, said) for body in bodies])

    for _ in range(3):
        scan(row)
        check_counters()

    assert Presence.objects.tagged().get().manifest.digest == digest_of(bodies[1])
    assert last_scan().moved_tags == 0


def test_x02_names_that_break_the_grammar_in_a_folder_are_counted_and_kept_out(
    row: Registry, hostile: Hostile, tmp_path: Path
) -> None:
    layout = StorageLayout(tmp_path / "root")
    for number in range(5):
        layout.image(f"good-{number}", "1")
    for number in range(50):
        for name in ("UPPER", "<script>alert(1)", "a b", "{{7*7}}"):
            (layout.repositories / f"{name}{number}/_layers").mkdir(parents=True)
    digest = layout.image("good-0", "2")
    for tag in ("-x", "<b>", "t" * 129, "=1+1", "a\nb"):
        layout.tag("good-0", tag, digest)
    use_folder(row, hostile, layout)

    job = scan(row)

    assert (job.state, last_scan().source) == (Job.State.DONE, Scan.Source.FOLDER)
    assert Repository.objects.count() == 5
    assert set(Tag.objects.values_list("name", flat=True)) == {"1", "2"}
    assert last_scan().rejected_names == 205
    assert "<" not in job.message


# A registry that fails, or lies, while it is read


@pytest.mark.parametrize("failing", range(7))
def test_r09_a_catalog_that_fails_at_any_page_changes_nothing(row: Registry, hostile: Hostile, failing: int) -> None:
    names = [f"r{page}" for page in range(7)]
    serve(hostile, **{name: ["1"] for name in names})
    scan(row)
    before = picture()
    for page, name in enumerate(names):
        target = f"/v2/_catalog?n=1&last={names[page - 1]}" if page else "/v2/_catalog?n=1000"
        following = f'</v2/_catalog?n=1&last={name}>; rel="next"'
        listed = json.dumps({"repositories": [name]}).encode()
        whole = Reply(200, listed, {"Link": following} if page < 6 else {})
        hostile.on("GET", target, Reply(500, b"oh no") if page == failing else whole)

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "500" in job.message
    assert picture() == before


def test_r09_an_account_that_sees_less_than_before_is_asked_about(row: Registry, hostile: Hostile) -> None:
    serve(hostile, **{f"r{number}": ["1"] for number in range(40)})
    scan(row)
    before = picture()
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": [f"r{number}" for number in range(10)]}))

    assert scan(row).state == Job.State.ASKING
    assert picture() == before


def test_r09_an_empty_catalog_of_a_small_registry_takes_nothing_at_once(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"], tool=["1"])
    scan(row)
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": []}))

    scan(row)

    assert live() == {("app", "1"), ("tool", "1")}
    serve(hostile, app=["1"], tool=["1"])
    scan(row)
    assert nothing_is_gone()


def test_r09_tags_that_are_not_found_for_a_moment_are_not_gone(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1", "2"])
    scan(row)
    before = picture()
    hostile.on("GET", "/v2/app/manifests/1", Reply.errors(404, "MANIFEST_UNKNOWN"))

    scan(row)

    tag = Tag.objects.get(name="1")
    assert (tag.gone_at, bool(tag.problem)) == (None, True)
    serve(hostile, app=["1", "2"])
    scan(row)
    assert picture() == before
