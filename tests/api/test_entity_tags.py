from __future__ import annotations

import gzip

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from audit.services import record
from catalog.models import Repository, Tag, TagSpan
from tests.sync import furniture as syncing
from tests.tagging import furniture as tagging
from tests.web import furniture as make

PATHS = [
    "/api/v1/repositories",
    "/api/v1/repositories/local/team/app",
    "/api/v1/repositories/local/team/app/-/tags",
    "/api/v1/repositories/local/team/app/-/tags/1.0/history",
    "/api/v1/plans",
    "/api/v1/trash",
    "/api/v1/protection-rules",
    "/api/v1/sync/sources",
    "/api/v1/sync/rules",
    "/api/v1/sync/runs",
    "/api/v1/sync/synced",
    "/api/v1/activity",
    "/api/v1/jobs",
    "/api/v1/openapi.json",
]


@pytest.fixture(autouse=True)
def rows(app: Repository) -> None:
    make.put(app, make.image(), "1.0", "latest", "stable")
    make.settle(app)
    make.job(app.registry)
    tag, now = Tag.objects.get(repository=app, name="1.0"), timezone.now()
    assert tag.presence is not None
    TagSpan.objects.create(tag=tag, repository=app, manifest=tag.presence.manifest, began=now)
    # Several: what is short may grow when it is packed, and is then sent as it is.
    acts = [(Entry.Act.PROTECT, "*:v*"), (Entry.Act.UNPROTECT, "*:v*"), (Entry.Act.RETAG, ""), (Entry.Act.COPY, "")]
    record(Entry(key=str(n), act=act, outcome=Entry.Outcome.DONE, detail=rule) for n, (act, rule) in enumerate(acts))
    tagging.plan(app)
    tagging.trash_entry(app, "2.0")
    for tags in ("v*", "latest"):
        tagging.protection_rule(app.registry, tags)
        rule = syncing.rule(f"of-{tags[0]}", app.registry, source=syncing.source(f"upstream-{tags[0]}"))
        syncing.run(rule)
        syncing.synced(rule, tags[0])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_has_not_changed_is_not_sent_again(client: Client, path: str, encoding: str) -> None:
    """Through the whole stack: what compresses an answer makes its tag a weak one."""
    first = client.get(path, headers={"Accept-Encoding": encoding})
    assert first.status_code == 200
    assert {"private", "must-revalidate"} <= set(first["Cache-Control"].split(", "))
    assert "Accept-Encoding" in first["Vary"]
    assert "Cookie" in first["Vary"]
    is_compressed = first.headers.get("Content-Encoding") == "gzip"
    assert is_compressed == (encoding == "gzip")
    assert first["ETag"].startswith("W/") == is_compressed
    again = client.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"].removeprefix("W/") == first["ETag"].removeprefix("W/")
    assert again["Cache-Control"] == first["Cache-Control"]
    assert "Accept-Encoding" in again["Vary"]


@pytest.mark.parametrize("path", PATHS)
def test_the_tag_is_that_of_the_bytes_however_they_travel(client: Client, path: str) -> None:
    plain = client.get(path)
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.content) == plain.content
    assert packed["ETag"] == f"W/{plain['ETag']}"


@pytest.mark.parametrize("known", ['"another"', 'W/"another"', "", "nonsense", "\x00"])
def test_another_tag_gets_the_whole_answer(client: Client, known: str) -> None:
    assert client.get(PATHS[0], headers={"If-None-Match": known}).status_code == 200


def test_several_tags_and_any(client: Client) -> None:
    tag = client.get(PATHS[0])["ETag"]
    assert client.get(PATHS[0], headers={"If-None-Match": f'"a", {tag}, "b"'}).status_code == 304
    assert client.get(PATHS[0], headers={"If-None-Match": "*"}).status_code == 304


def test_what_has_changed_is_sent(client: Client, app: Repository) -> None:
    tag = client.get(PATHS[1])["ETag"]
    app.tag_count += 1
    app.save()
    changed = client.get(PATHS[1], headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag


def test_who_may_not_read_is_not_told_that_nothing_changed(client: Client) -> None:
    tag = client.get(PATHS[0])["ETag"]
    assert Client().get(PATHS[0], headers={"If-None-Match": tag}).status_code == 401


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_as_get_without_a_body(client: Client, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Content-Type", "Cache-Control", "Content-Length"):
        assert head[name] == got[name]
    assert client.head(path, headers={"If-None-Match": got["ETag"]}).status_code == 304
