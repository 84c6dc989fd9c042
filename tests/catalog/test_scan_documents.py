"""Documents that were made to hurt, behind an API and in a folder: rows M01 to M06 of the threat table."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.models import Manifest, Presence, Scan, Tag
from jobs.models import Job
from registries.models import Registry
from tests.catalog.picture import check_counters
from tests.catalog.scanning import last_scan, scan
from tests.catalog.serving import digest_of, image, index_of, serve, serve_manifest, use_folder
from tests.hostile import Hostile, Reply
from tests.pushing import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from tests.storage_layout import StorageLayout

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(hostile_row: Registry) -> Registry:
    return hostile_row


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


@pytest.mark.any_database
def test_m01_indexes_a_thousand_deep_end(place: Place, hostile: Hostile) -> None:
    digest, media_type = place.put(image()), OCI_MANIFEST
    for _ in range(200):
        digest, media_type = place.put(index_of((media_type, digest)), media_type=OCI_INDEX), OCI_INDEX
    place.put(index_of((media_type, digest)), "deep", media_type=OCI_INDEX)

    place.scan()

    assert states() == {"deep": Presence.State.INCOMPLETE}
    assert len(hostile.requests) <= 12
    assert Manifest.objects.count() == 5


@pytest.mark.any_database
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


@pytest.mark.any_database
def test_m01_more_children_than_any_index_has_are_refused(place: Place, hostile: Hostile) -> None:
    children = [(OCI_MANIFEST, digest_of(b"%d" % number)) for number in range(10_000)]
    place.put(index_of(*children), "many", media_type=OCI_INDEX)

    place.scan()

    assert states() == {"many": Presence.State.UNREADABLE}
    assert len(hostile.requests) <= 4


@pytest.mark.any_database
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


@pytest.mark.any_database
def test_m02_layers_without_end_are_refused(place: Place) -> None:
    digests = [f"sha256:{number:064x}" for number in range(30_000)]
    layers = [{"mediaType": "a/b", "digest": digest, "size": 1} for digest in digests]
    place.put(json.dumps(image() | {"layers": layers}, separators=(",", ":")).encode(), "many")
    place.put(json.dumps(image() | {"layers": layers[:9_000]}).encode(), "bearable")

    place.scan()

    assert states() == {"many": Presence.State.UNREADABLE, "bearable": Presence.State.WHOLE}


@pytest.mark.any_database
def test_m02_a_manifest_above_four_megabytes_is_not_read(place: Place) -> None:
    place.put(image() | {"annotations": {"a": "b" * 2**22}}, "large")
    place.put(image(), "good")

    place.scan()

    assert re.search("4,?194,?304 bytes", Tag.objects.get(name="large").problem)
    assert states() == {"good": Presence.State.WHOLE}


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("content", "state"),
    [
        (lambda: json.dumps({"os": "linux", "history": [{"created_by": "x"}] * 390_000}).encode(), "malformed"),
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
    assert found["1"] == state
    assert time.monotonic() - began < 5


@pytest.mark.any_database
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


@pytest.mark.any_database
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


@pytest.mark.any_database
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
