"""A registry whose catalog may not be read: those repositories are read that are watched, and nothing is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog import watching
from catalog.models import Repository, Scan, Tag, WatchedRepository
from catalog.watching import Reading, watched
from jobs.models import Job
from registries.models import Registry
from tests.catalog.picture import check_counters, picture
from tests.catalog.scanning import last_scan, scan
from tests.catalog.serving import serve
from tests.hostile import Hostile, Reply
from tests.storage_layout import StorageLayout

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

REFUSALS = [
    Reply.errors(401, "UNAUTHORIZED", "authentication required"),
    Reply.errors(403, "DENIED", "requested access to the resource is denied"),
    Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"}),
    Reply.errors(405, "UNSUPPORTED"),
]
each_refusal = pytest.mark.parametrize("refusal", REFUSALS, ids=lambda reply: str(reply.status))


@pytest.fixture
def row(hostile_row: Registry, hostile: Hostile) -> Registry:
    hostile.on("GET", "/v2/", Reply.json({}, Docker_Distribution_Api_Version="registry/2.0"))
    return hostile_row


def deny(hostile: Hostile, refusal: Reply = REFUSALS[0]) -> None:
    hostile.on("GET", "/v2/_catalog", refusal)


def live() -> set[tuple[str, str]]:
    return set(Tag.objects.live().values_list("repository__name", "name"))


@each_refusal
def test_those_that_are_watched_are_read(row: Registry, hostile: Hostile, refusal: Reply) -> None:
    serve(hostile, app=["1", "2"], tool=["1"], unnamed=["1"])
    deny(hostile, refusal)
    watching.watch(row, ["app", "tool"])

    assert scan(row).state == Job.State.DONE

    found = last_scan()
    assert (found.complete, found.is_of_watched, found.tags) == (True, True, 3)
    assert str(refusal.status) in found.catalog_refusal
    assert live() == {("app", "1"), ("app", "2"), ("tool", "1")}
    check_counters()


@each_refusal
def test_what_the_catalog_held_is_learnt_and_nothing_is_gone(row: Registry, hostile: Hostile, refusal: Reply) -> None:
    serve(hostile, **{f"r{number}": ["1"] for number in range(30)})
    scan(row)
    before = picture()
    deny(hostile, refusal)

    for _ in range(3):
        assert scan(row).state == Job.State.DONE
        assert last_scan().is_of_watched
        assert picture() == before

    assert WatchedRepository.objects.filter(learnt=True).count() == 30


def test_a_catalog_that_may_be_read_again_is(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"])
    scan(row)
    deny(hostile)
    scan(row)
    serve(hostile, app=["1"], late=["1"])

    scan(row)

    assert not last_scan().is_of_watched
    assert last_scan().catalog_refusal == ""
    assert live() == {("app", "1"), ("late", "1")}


def test_with_none_to_read_the_job_says_what_to_do(row: Registry, hostile: Hostile) -> None:
    deny(hostile)

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "does not let Berth read its catalog" in job.message
    assert "401" in job.message
    assert "Name some on the page of the registry" in job.message
    found = last_scan()
    assert (found.complete, found.finished_at is None) == (False, False)
    assert not Repository.objects.exists()


def test_a_registry_that_lets_nobody_in_is_not_one_with_a_closed_catalog(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"])
    scan(row)
    before = picture()
    deny(hostile)
    hostile.on("GET", "/v2/", Reply.errors(401, "UNAUTHORIZED"))

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "401" in job.message
    assert not WatchedRepository.objects.exists()
    assert picture() == before


def test_one_that_is_watched_no_more_says_so_and_keeps_what_was_read(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"], tool=["1"])
    scan(row)
    deny(hostile)
    scan(row)
    watching.unwatch(row, ["tool"])

    scan(row)

    tool = Repository.objects.get(name="tool")
    assert (tool.state, tool.gone_at, tool.missed) == (Repository.State.FAILED, None, 0)
    assert "not watched any more" in tool.problem
    assert live() == {("app", "1"), ("tool", "1")}
    assert Repository.objects.get(name="app").state == Repository.State.WHOLE
    assert not WatchedRepository.objects.filter(name="tool").exists()  # it is not learnt again

    watching.watch(row, ["tool"])
    scan(row)
    tool.refresh_from_db()
    assert (tool.state, tool.problem) == (Repository.State.WHOLE, "")


def test_a_name_that_is_not_there_makes_no_repository(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"])
    deny(hostile)
    hostile.on("GET", "/v2/mistyped/tags/list", Reply.errors(404, "NAME_UNKNOWN", "repository name not known"))
    watching.watch(row, ["app", "mistyped"])

    scan(row)

    assert list(Repository.objects.values_list("name", flat=True)) == ["app"]
    assert {seen.watched.name: seen.reading for seen in watched(row)} == {
        "app": Reading.READ,
        "mistyped": Reading.MISSING,
    }


def test_a_tag_that_a_watched_repository_lacks_is_gone(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1", "2"])
    deny(hostile)
    watching.watch(row, ["app"])
    scan(row)
    serve(hostile, app=["2"])
    deny(hostile)

    scan(row)

    assert live() == {("app", "2")}
    assert last_scan().gone_tags == 1
    check_counters()


def test_a_watched_repository_that_is_unknown_of_a_sudden_is_asked_about(row: Registry, hostile: Hostile) -> None:
    """A registry that lost its storage and closes its catalog is no reason to lose what was in it."""
    serve(hostile, app=[f"1.{number}" for number in range(30)])
    deny(hostile)
    watching.watch(row, ["app"])
    scan(row)
    before = picture()
    hostile.on("GET", "/v2/app/tags/list", Reply.errors(404, "NAME_UNKNOWN"))

    assert scan(row).state == Job.State.ASKING
    assert picture() == before


def test_a_folder_is_read_where_the_catalog_is_closed(row: Registry, hostile: Hostile, tmp_path: Path) -> None:
    """Then the folder is the catalog, and nobody has to name what is in it."""
    layout = StorageLayout(tmp_path / "root")
    layout.image("app", "1")
    layout.image("team/tool", "1")
    Registry.objects.update(storage=str(layout.root))
    row.refresh_from_db()
    two = {"Content-Type": "application/json; charset=utf-8", "Docker-Distribution-Api-Version": "registry/2.0"}
    hostile.on("GET", "/v2/", Reply(200, b"{}", two))
    deny(hostile)
    hostile.on("POST", "/v2/app/blobs/uploads/", Reply.errors(401, "UNAUTHORIZED"))
    for name in ("app", "team/tool"):
        hostile.on("GET", f"/v2/{name}/manifests/1", Reply(304))

    assert scan(row).state == Job.State.DONE

    found = last_scan()
    assert (found.source, found.is_of_watched, found.tags) == (Scan.Source.FOLDER, False, 2)
    assert live() == {("app", "1"), ("team/tool", "1")}
