"""What is asked of the database about many tags, or written of them, is one statement for some hundreds."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs import running
from jobs import services as jobs
from oci.transfer.blobs import WORTH_ASKING
from registries.probing import probe
from sync.models import Run, Synced
from tests.catalog.scanning import scan
from tests.sync.hub import Hub
from tests.sync.syncing import NAME, Syncing, ends, job_of

pytestmark = pytest.mark.django_db(transaction=True)
LARGE = b"l" * WORTH_ASKING
TAGS = [f"1.{n}" for n in range(12)]
NAMES = [NAME, *(f"library/app-{n}" for n in range(12))]


@pytest.fixture
def syncing(hub: Hub, from_hub: Syncing) -> Syncing:
    probe(from_hub.target)
    for tag in TAGS:
        hub.image(NAME, tag, layers=(LARGE, tag.encode()))
    for name in NAMES[1:]:
        hub.image(name, "1.0", layers=(name.encode(),))
    return from_hub


def statements(queries: CaptureQueriesContext, verb: str, table: str) -> list[str]:
    of_it = (query["sql"] for query in queries if f'"{table}"' in query["sql"])
    return [sql for sql in of_it if sql.startswith(verb)]


def test_tags_that_have_moved_are_noted_together(hub: Hub, syncing: Syncing) -> None:
    rule = syncing.rule(repositories=tuple(NAMES))
    syncing.run(rule)
    new = {tag: hub.image(NAME, tag, layers=(b"new", tag.encode())) for tag in TAGS}

    with CaptureQueriesContext(connection) as queries:
        run = syncing.plan(rule)

    assert (run.moved, run.unchanged) == (len(TAGS), len(NAMES) - 1)
    assert dict(Synced.objects.filter(tag__in=TAGS, repository__endswith=NAME).values_list("tag", "seen")) == new
    assert set(Synced.objects.values_list("seen_at", flat=True)) == {run.planned_at}
    assert len(statements(queries, "UPDATE", "sync_synced")) == 2, "where they are, and that it was looked"
    assert len(statements(queries, "SELECT", "sync_synced")) == 3, "what was copied, what has vanished, what to note"


def test_what_images_need_is_looked_up_together(hub: Hub, syncing: Syncing) -> None:
    syncing.run(syncing.rule("first", into="first/{name}"))
    scan(syncing.target)

    with CaptureQueriesContext(connection) as queries:
        run = syncing.plan(syncing.rule(repositories=tuple(NAMES)))

    assert (run.new, run.pulls) == (len(TAGS) + len(NAMES) - 1, len(TAGS) + len(NAMES) - 1)
    small = _weight(hub, [(NAME, tag) for tag in TAGS] + [(name, "1.0") for name in NAMES[1:]]) - len(LARGE)
    assert run.size == small, "what another repository of the target has is linked from there, where that is worth it"
    assert len(statements(queries, "SELECT", "catalog_repositoryblob")) == 2, "where the large are, and the small"
    assert syncing.carry_on(run).sent == run.size


def test_what_was_deleted_is_forgotten_together(hub: Hub, syncing: Syncing) -> None:
    rule = syncing.rule(deletes_gone=True)
    syncing.run(rule)
    scan(syncing.target)
    for tag in TAGS[1:]:
        hub.forget(NAME, tag)
    run = syncing.run(rule)
    assert jobs.answer(job_of(run), yes=True)

    with CaptureQueriesContext(connection) as queries:
        running.run_here(job_of(run).pk)

    run.refresh_from_db()
    assert run.state == Run.State.DONE
    assert ends(run) == {TAGS[0]: "keep skipped"} | dict.fromkeys(TAGS[1:], "delete done")
    assert list(Synced.objects.values_list("tag", flat=True)) == TAGS[:1]
    assert len(statements(queries, "DELETE", "sync_synced")) == 1


def _weight(hub: Hub, images: list[tuple[str, str]]) -> int:
    """Bytes of the blobs of these images, each once."""
    documents = [json.loads(hub.content(name, tag)) for name, tag in images]
    blobs = {blob["digest"]: blob["size"] for image in documents for blob in (image["config"], *image["layers"])}
    return sum(blobs.values())
