"""How a storage folder is read: proved to be the registry's own, left where it is not, and never believed too much."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Presence, Repository, Scan, Tag
from jobs.models import Job
from registries.models import Registry
from registries.probing import probe
from tests.catalog.picture import check_counters, picture
from tests.catalog.scanning import last_scan, scan
from tests.certificates import SelfSigned, access_of, token_settings
from tests.hostile import Asked, Hostile, Reply
from tests.pushing import Pusher
from tests.real_registry import RealRegistry, generations
from tests.storage_layout import StorageLayout

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

PROOF: Final = 3  # requests: what it is, an upload that is begun, and cancelled


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of this machine needs no second look."""
    monkeypatch.setattr("catalog.scanning.choosing._APPEARS", (0.0, 0.05))


@pytest.fixture
def own_registry(request: pytest.FixtureRequest, tmp_path: Path, hostile: Hostile) -> Iterator[RealRegistry]:
    """Of each generation, one that tells `hostile` of every event."""
    hostile.on("POST", "/events", Reply())
    told = {"name": "test", "url": f"{hostile.url}/events", "timeout": "1s", "threshold": 1, "backoff": "1s"}
    settings = {"notifications": {"endpoints": [told]}}
    with RealRegistry(tmp_path, getattr(request, "param", generations()[0]), settings=settings) as registry:
        yield registry


@pytest.fixture
def row(db: None, own_registry: RealRegistry) -> Registry:
    return Registry.objects.create(name="test", url=own_registry.url, storage=str(own_registry.storage))


@pytest.fixture
def push(own_registry: RealRegistry) -> Pusher:
    return Pusher(own_registry.url, "team/app")


def link(registry: RealRegistry, tag: str, repository: str = "team/app") -> Path:
    return StorageLayout(registry.storage).tag_link(repository, tag)


def read_only(storage: Path) -> dict[str, Any]:
    """Settings of a registry that takes nothing."""
    maintenance = {"uploadpurging": {"enabled": False}, "readonly": {"enabled": True}}
    return {"storage": {"filesystem": {"rootdirectory": str(storage)}, "maintenance": maintenance}}


# A folder that is read


@pytest.mark.parametrize("own_registry", generations(), indirect=True)
def test_an_unchanged_registry_costs_the_proof_alone(
    row: Registry, push: Pusher, own_registry: RealRegistry, hostile: Hostile
) -> None:
    push.index("1", "latest", children=[push.image(), push.image(platform="linux/arm64")])
    Pusher(own_registry.url, "copy").image("1")
    scan(row)
    assert (last_scan().source, last_scan().requests) == (Scan.Source.FOLDER, PROOF)
    before, events = picture(), len(hostile.requests)

    with CaptureQueriesContext(connection) as queries:
        scan(row)

    found = last_scan()
    assert (found.source, found.requests) == (Scan.Source.FOLDER, PROOF)
    assert "appeared in the folder, and was cancelled" in found.source_note
    assert picture() == before
    written = {q["sql"].split('"')[1] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))}
    assert written == {"jobs_job", "catalog_scan"}
    assert not list(own_registry.storage.glob("**/_uploads/*/startedat"))
    # Events are sent in the order of what they tell, so after this one there is none of the scan's on its way.
    push.blob(b"the last one")
    said = [request.body.decode() for request in hostile.asked("/events")[events:]]
    assert all('"action": "push"' in body or '"action":"push"' in body for body in said)


def test_when_a_tag_was_pushed_is_its_date(row: Registry, push: Pusher, own_registry: RealRegistry) -> None:
    push.image("old", seed="old")
    push.image("new", seed="new")
    pushed = datetime(2024, 5, 1, 12, tzinfo=UTC)
    for tag, when in (("old", pushed), ("new", pushed.replace(year=2020))):
        os.utime(link(own_registry, tag), (when.timestamp(), when.timestamp()))

    scan(row)

    assert set(Presence.objects.values_list("lead_tag", "dated_by", "dated")) == {
        ("old", Presence.DatedBy.PUSHED, pushed),
        ("new", Presence.DatedBy.PUSHED, pushed.replace(year=2020)),
    }
    assert Repository.objects.get().newest == Presence.objects.get(lead_tag="old")


def test_a_date_from_the_future_is_nobodys(row: Registry, push: Pusher, own_registry: RealRegistry) -> None:
    push.image("1")
    os.utime(link(own_registry, "1"), (2**33, 2**33))

    scan(row)

    presence = Presence.objects.get()
    assert presence.dated_by == Presence.DatedBy.CREATED
    assert presence.dated < datetime.now(UTC)


def test_a_tag_that_is_pushed_again_as_it_was_is_dated_anew_and_nothing_else(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    push.image("1", "2", seed="same")
    os.utime(link(own_registry, "1"), (10**9, 10**9))
    os.utime(link(own_registry, "2"), (10**9, 10**9))
    scan(row)
    before = picture()
    push.image("1", seed="same")

    scan(row)

    linked_ns = link(own_registry, "1").stat().st_mtime_ns
    assert dict(Tag.objects.values_list("name", "link_ns")) == {"1": linked_ns, "2": 10**18}
    presence = Presence.objects.get()
    assert int(presence.dated.timestamp() * 1000) == linked_ns // 10**6
    after = picture()
    assert [(*row[:8], *row[9:]) for row in after["presences"]] == [(*row[:8], *row[9:]) for row in before["presences"]]
    assert {k: v for k, v in after.items() if k != "presences"} == {k: v for k, v in before.items() if k != "presences"}
    found = last_scan()
    assert (found.new_tags, found.moved_tags, found.gone_tags) == (0, 0, 0)


def test_a_thorough_scan_misses_a_child_that_was_taken_away(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    child = push.image(platform="linux/arm64")
    push.index("1", children=[push.image(), child])
    scan(row)
    StorageLayout(own_registry.storage).revision_link("team/app", child).unlink()

    scan(row)
    assert Presence.objects.tagged().get().state == Presence.State.WHOLE
    scan(row, thorough=True)
    assert Presence.objects.tagged().get().state == Presence.State.INCOMPLETE
    check_counters()


def test_a_tag_of_what_another_repository_has_says_so_in_the_same_words_each_time(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    push.image("1")
    StorageLayout(own_registry.storage).tag("team/app", "2", Pusher(own_registry.url, "other").image("1", seed="other"))
    scan(row)
    before = picture()
    assert "it is not there" in Tag.objects.get(name="2").problem

    scan(row)

    assert picture() == before


@pytest.mark.parametrize("tag", ["new", "moved"])
def test_what_lies_below_an_index_is_found_where_its_content_is_known(
    row: Registry, push: Pusher, own_registry: RealRegistry, tag: str
) -> None:
    """From another repository, or from a scan that was killed: then the index is not read again."""
    push.image("moved", seed="before")
    for place in (Pusher(own_registry.url, "other"), push):
        place.index(tag, children=[place.image(), place.image(platform="linux/arm64")])
        scan(row)

    here, there = Repository.objects.get(name="team/app"), Repository.objects.get(name="other")
    index = here.presences.get(lead_tag=tag)
    assert (index.state, index.size) == (Presence.State.WHOLE, there.size)
    assert set(there.presences.values_list("manifest")) <= set(here.presences.present().values_list("manifest"))
    check_counters()


# A folder that is proved by its tags


def test_where_nothing_may_be_pushed_tags_prove_the_folder(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path / "storage")
    layout.image("team/app", "1", "2", seed="one")
    layout.image("other", "1", seed="two")
    with RealRegistry(tmp_path, settings=read_only(tmp_path / "storage")) as registry:
        row = Registry.objects.create(name="test", url=registry.url, storage=str(registry.storage))
        scan(row)

    found = last_scan()
    assert (found.source, found.complete, found.tags) == (Scan.Source.FOLDER, True, 3)
    assert found.source_note.startswith("3 tags in the folder point to what the API says")


@pytest.mark.parametrize("generation", generations())
def test_where_no_upload_may_be_cancelled_one_is_begun_and_no_other(
    tmp_path: Path, other_host: Hostile, generation: str
) -> None:
    """Whoever may push may not always delete; each would lie there until the registry purges it."""
    layout = StorageLayout(tmp_path / "storage")
    layout.image("team/app", "1", "2", seed="one")
    signed = SelfSigned.made(tmp_path / "signed")

    def give(asked: Asked) -> Reply:
        scopes = parse_qs(asked.query).get("scope", [])
        return Reply.json({"token": signed.token(access_of(scopes, but={"delete"}))})

    other_host.on("GET", "/token", give)
    realm = f"{other_host.url}/token"
    with RealRegistry(tmp_path, generation, token=token_settings(signed, realm)) as registry:
        row = Registry.objects.create(name="test", url=registry.url, storage=str(registry.storage), realm=realm)
        probe(row)
        for _ in range(3):
            scan(row)
        notes = list(Scan.objects.order_by("pk").values_list("source", "source_note"))
        probe(row)  # its rights may be others now

    assert [source for source, _ in notes] == [Scan.Source.FOLDER] * 3
    assert "could not be cancelled" in notes[0][1]
    assert notes[1][1] == notes[2][1]
    assert notes[1][1].startswith("2 tags in the folder point to what the API says")
    assert len(list(registry.storage.glob("**/_uploads/*/startedat"))) == 1
    assert row.capability("uploads_stay") is None


@pytest.mark.parametrize(("status", "stays"), [(401, True), (403, True), (405, True), (404, None), (503, None)])
def test_only_who_may_not_cancel_is_given_no_second_upload(
    hostile_row: Registry, hostile: Hostile, tmp_path: Path, status: int, *, stays: bool | None
) -> None:
    StorageLayout(tmp_path / "root").image("app", "1")
    Registry.objects.update(storage=str(tmp_path / "root"))
    hostile_row.refresh_from_db()
    two = {"Content-Type": "application/json; charset=utf-8", "Docker-Distribution-Api-Version": "registry/2.0"}
    hostile.on("GET", "/v2/", Reply(200, b"{}", two))
    upload = "8c9e2a10-0000-4000-8000-000000000001"
    begun = {"Location": f"/v2/app/blobs/uploads/{upload}", "Docker-Upload-UUID": upload}
    hostile.on("POST", "/v2/app/blobs/uploads/", Reply(202, headers=begun))
    hostile.on("DELETE", f"/v2/app/blobs/uploads/{upload}", Reply.errors(status, "NO"))
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": []}))

    scan(hostile_row)

    hostile_row.refresh_from_db()
    assert [r.method for r in hostile.asked(f"/v2/app/blobs/uploads/{upload}")] == ["DELETE"]
    assert hostile_row.capability("uploads_stay") is stays


@pytest.mark.parametrize("moved_on", ["a tag that is new there", "a tag that moved"])
def test_a_copy_that_has_moved_on_is_told_by_its_newest_tag(tmp_path: Path, moved_on: str) -> None:
    layout = StorageLayout(tmp_path / "storage")
    layout.image("team/app", *[f"1.{n}" for n in range(30)], seed="one")
    shutil.copytree(tmp_path / "storage", tmp_path / "copy")
    StorageLayout(tmp_path / "copy").image("team/app", "2.0" if "new" in moved_on else "1.7", seed="two")
    with RealRegistry(tmp_path, settings=read_only(tmp_path / "storage")) as registry:
        row = Registry.objects.create(name="test", url=registry.url, storage=str(tmp_path / "copy"))
        scan(row)

    found = last_scan()
    assert (found.source, found.complete, found.tags) == (Scan.Source.API, True, 30)
    assert "is not what the API says: that is of another registry" in found.source_note


# A folder that is not read


def of_another(folder: Path) -> Path:
    StorageLayout(folder / "another").image("somebody/elses", "1")
    return folder / "another"


def a_copy(folder: Path) -> Path:
    return Path(shutil.copytree(folder / "storage", folder / "a-copy"))


def an_empty_one(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def no_storage(folder: Path) -> Path:
    (folder / "home/documents").mkdir(parents=True)
    return folder / "home"


def a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file"


def one_with_a_way_out(folder: Path) -> Path:
    """The registry's own: but what a link from it leads to is not read, so it is not known whole."""
    (folder / "outside/_layers").mkdir(parents=True)
    (folder / "storage/docker/registry/v2/repositories/linked").symlink_to(folder / "outside")
    return folder / "storage"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (of_another, "did not appear in its storage folder: that is of another registry"),
        (a_copy, "did not appear in its storage folder: that is of another registry"),
        (an_empty_one, "holds no repository by which it could be proved"),
        (lambda folder: folder / "nowhere", "cannot be used: it is not there"),
        (lambda _: Path("relative/path"), "has to be a path from the top"),
        (no_storage, "rootdirectory"),
        (a_file, "cannot be used"),
        (one_with_a_way_out, "lead out of it"),
    ],
)
def test_a_folder_that_is_not_the_registrys_own_is_left_with_the_reason(
    row: Registry, push: Pusher, own_registry: RealRegistry, make: Callable[[Path], Path], why: str
) -> None:
    push.image("1", "2")
    Registry.objects.update(storage=str(make(own_registry.folder)))
    row.refresh_from_db()

    assert scan(row).state == Job.State.DONE

    found = last_scan()
    assert (found.source, found.complete) == (Scan.Source.API, True)
    assert why in found.source_note
    assert set(Tag.objects.values_list("repository__name", "name")) == {("team/app", "1"), ("team/app", "2")}
    assert set(Presence.objects.values_list("dated_by", flat=True)) == {Presence.DatedBy.CREATED}


def test_a_folder_that_is_of_another_registry_now_changes_nothing_that_was_known(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    push.image("1", "2")
    scan(row)
    before = picture()
    Registry.objects.update(storage=str(of_another(own_registry.folder)))
    row.refresh_from_db()

    scan(row)

    assert last_scan().source == Scan.Source.API
    assert picture() == before


def test_what_does_not_behave_like_distribution_is_asked_by_its_api(
    hostile_row: Registry, hostile: Hostile, tmp_path: Path
) -> None:
    StorageLayout(tmp_path / "root").image("app", "1")
    Registry.objects.update(storage=str(tmp_path / "root"))
    hostile_row.refresh_from_db()
    hostile.on("GET", "/v2/", Reply(headers={"Content-Type": "text/plain", "Docker-Distribution-Api-Version": "x"}))
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": []}))

    scan(hostile_row)

    assert "does not behave like distribution" in last_scan().source_note
    assert not Repository.objects.exists()
    assert {request.method for request in hostile.requests} == {"GET"}


@pytest.mark.parametrize("location", ["{url}/v2/app/blobs/uploads/", "http://127.0.0.1:1/v2/x", "/../../etc", "", "\t"])
@pytest.mark.parametrize("uuid", ["../../_manifests/tags", "", "8c9e2a10-0000-4000-8000-000000000001/../x"])
def test_no_path_is_made_of_what_a_registry_calls_an_upload(
    hostile_row: Registry, hostile: Hostile, tmp_path: Path, location: str, uuid: str
) -> None:
    StorageLayout(tmp_path / "root").image("app", "1")
    Registry.objects.update(storage=str(tmp_path / "root"))
    hostile_row.refresh_from_db()
    two = {"Content-Type": "application/json; charset=utf-8", "Docker-Distribution-Api-Version": "registry/2.0"}
    hostile.on("GET", "/v2/", Reply(200, b"{}", two))
    begun = {"Location": location.format(url=hostile.url), "Docker-Upload-UUID": uuid}
    hostile.on("POST", "/v2/app/blobs/uploads/", Reply(202, headers=begun))
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": []}))

    job = scan(hostile_row)

    assert last_scan().source == Scan.Source.API or job.state == Job.State.FAILED
    assert not Tag.objects.exists()


# A folder that is taken away while it is read


@pytest.fixture
def movable(tmp_path: Path) -> Iterator[RealRegistry]:
    """Its storage may be moved elsewhere while it runs: it finds it by a link, which Berth does not look through."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "storage").symlink_to(tmp_path / "disk")
    with RealRegistry(tmp_path) as registry:
        yield registry


@contextmanager
def at_statement(start: str, then: Callable[[], object]) -> Iterator[None]:
    """Do something just before the first SQL statement that begins so."""
    done = False

    def on_statement(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal done
        if not done and sql.lstrip("( ").startswith(start):
            done = True
            then()
        return execute(sql, *rest)

    with connection.execute_wrapper(on_statement):
        yield
    assert done


def take_away(registry: RealRegistry, *, leave: str) -> None:
    disk, moved = registry.folder / "disk", registry.folder / "moved"
    disk.rename(moved)
    registry.storage.unlink()
    registry.storage.symlink_to(moved)
    if leave == "an empty folder":
        disk.mkdir()
    elif leave == "another storage":
        StorageLayout(disk).image("somebody/elses", "1")


@pytest.mark.parametrize("leave", ["nothing", "an empty folder", "another storage"])
@pytest.mark.parametrize(
    "when", ['SELECT "catalog_tag"."repository_id"', 'INSERT INTO "catalog_blob"'], ids=["listing", "reading"]
)
def test_a_folder_that_is_taken_away_in_the_middle_takes_nothing_along(
    movable: RealRegistry, when: str, leave: str
) -> None:
    for name in ("app", "team/tool", "team/app"):
        Pusher(movable.url, name).image("1", "2", "3", seed=name)
    row = Registry.objects.create(name="test", url=movable.url, storage=str(movable.folder / "disk"))
    scan(row)
    assert last_scan().source == Scan.Source.FOLDER
    tags = set(Tag.objects.live().values_list("repository__name", "name", "presence__manifest__digest"))
    Pusher(movable.url, "team/app").image("4", seed="new")

    with at_statement(when, lambda: take_away(movable, leave=leave)):
        scan(row)

    assert set(Tag.objects.live().values_list("repository__name", "name", "presence__manifest__digest")) >= tags
    assert not Repository.objects.exclude(gone_at=None, missed=0).exists()
    assert not Presence.objects.exclude(gone_at=None).exists()
    check_counters()

    scan(row)
    assert last_scan().source == Scan.Source.API
    assert Tag.objects.live().filter(problem="").count() == len(tags) + 1
    assert not Repository.objects.exclude(state=Repository.State.WHOLE).exists()
    check_counters()
