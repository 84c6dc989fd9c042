"""A scan leaves the machine to whoever waits for a page."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jobs import visitors
from jobs.models import Job
from registries.models import Registry
from tests.catalog.scanning import scan
from tests.catalog.serving import serve
from tests.hostile import Asked, Hostile, Reply
from tests.pushing import OCI_MANIFEST

pytestmark = pytest.mark.django_db(transaction=True)

TAGS = [f"1.{number}" for number in range(60)]


@contextmanager
def somebody_reads() -> Iterator[None]:
    leaves = threading.Event()

    def look() -> None:
        while not leaves.wait(0.02):
            visitors.note()

    visitors.note()
    reader = threading.Thread(target=look)
    reader.start()
    try:
        yield
    finally:
        leaves.set()
        reader.join()


def most_at_once(hostile: Hostile, row: Registry) -> int:
    """Of the requests for tags."""
    inside, seen, counting = 0, [0], threading.Lock()
    serve(hostile, app=TAGS)

    def reply(asked: Asked) -> Reply:
        nonlocal inside
        with counting:
            inside += 1
            seen.append(inside)
        time.sleep(0.02)
        with counting:
            inside -= 1
        return Reply(200, b'{"schemaVersion": 2, "tag": "%s"}' % asked.path.encode(), {"Content-Type": OCI_MANIFEST})

    for tag in TAGS:
        hostile.on("GET", f"/v2/app/manifests/{tag}", reply)
    assert scan(row).state == Job.State.DONE
    return max(seen)


def test_a_scan_asks_for_less_at_once_while_somebody_reads(hostile_row: Registry, hostile: Hostile) -> None:
    with somebody_reads():
        assert most_at_once(hostile, hostile_row) == 1


def test_a_scan_asks_for_more_while_nobody_reads(hostile_row: Registry, hostile: Hostile) -> None:
    assert most_at_once(hostile, hostile_row) > 1
