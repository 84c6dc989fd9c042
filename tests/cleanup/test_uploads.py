"""Uploads that were left go, those that somebody is at stay, and whoever dies is told of by who goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.models import Entry
from cleanup import uploads
from jobs import running
from jobs.models import Job
from tagging.permission import NotPermitted
from tests.cleanup.checking import REPOSITORY, Checking
from tests.real_registry import RealRegistry
from tests.web import furniture as make

pytestmark = pytest.mark.any_database
DAY = 86_400
OLD, YOUNG, BUSY = (f"0000000{n}-0000-4000-8000-000000000000" for n in (1, 2, 3))


@pytest.fixture
def registry(tmp_path: Path, transactional_db: None) -> Iterator[Checking]:
    with RealRegistry(tmp_path) as real:
        checking = Checking(real, by_folder=True)
        checking.push.image("1.0")
        yield checking


def upload(of: Checking, uuid: str, *, days: float, touched: float | None = None, repository: str = REPOSITORY) -> Path:
    """`days`: since it was begun; `touched`: since it was last written to."""
    began = time.gmtime(time.time() - days * DAY)
    of.stored.upload(repository, uuid, b"half", time.strftime("%Y-%m-%dT%H:%M:%SZ", began))
    folder = of.stored.repository(repository) / "_uploads" / uuid
    then = time.time() - (days if touched is None else touched) * DAY
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))
    return folder


def clear(of: Checking) -> Job:
    job, is_new = uploads.request_clearing(of.row, make.person(f"mara{time.time_ns()}", staff=True))
    assert is_new
    running.run(job.pk)
    job.refresh_from_db()
    return job


def test_only_what_was_left_goes(registry: Checking) -> None:
    old, young = upload(registry, OLD, days=3), upload(registry, YOUNG, days=0.5)
    busy = upload(registry, BUSY, days=3, touched=0.1)

    job = clear(registry)

    assert (job.state, job.message) == (Job.State.DONE, "1 uploads with 4 bytes were removed.")
    assert [path.exists() for path in (old, young, busy)] == [False, True, True]
    (entry,) = Entry.objects.filter(act=Entry.Act.CLEAR_UPLOADS)
    assert (entry.repository, entry.count, entry.detail) == (
        REPOSITORY,
        1,
        "1 uploads with 4 bytes, untouched for a day",
    )
    assert entry.actor.startswith("mara")
    assert clear(registry).message == "No upload was left."


def test_a_link_out_of_the_folder_is_not_followed(registry: Checking, tmp_path: Path) -> None:
    folder = upload(registry, OLD, days=3)
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)

    clear(registry)

    assert (elsewhere / "data").exists()


def test_without_the_folder_nothing_is_removed(registry: Checking) -> None:
    registry.row.storage = ""
    registry.row.save()
    job = clear(registry)
    assert (job.state, job.message) == (
        Job.State.FAILED,
        "Nothing was removed: No storage folder of this registry is named.",
    )


def test_whoever_dies_after_it_went_is_told_of_by_who_goes_on(registry: Checking) -> None:
    upload(registry, OLD, days=3)
    job, _ = uploads.request_clearing(registry.row, make.person("mara", staff=True))
    named = {"repository": REPOSITORY, "uploads": {YOUNG: 7, OLD: 4}}
    Job.objects.filter(pk=job.pk).update(progress={"phase": "clearing", "clearing": named})

    running.run(job.pk)

    counts = Entry.objects.filter(act=Entry.Act.CLEAR_UPLOADS).order_by("pk").values_list("count", "detail")
    assert list(counts) == [
        (1, "1 uploads with 7 bytes, untouched for a day"),
        (1, "1 uploads with 4 bytes, untouched for a day"),
    ]


def test_what_was_left_of_one_whose_remover_died_goes_too(registry: Checking) -> None:
    folder = upload(registry, OLD, days=3)
    rest = folder.rename(folder.with_name(f"{OLD}.going"))
    job, _ = uploads.request_clearing(registry.row, make.person("mara", staff=True))
    named = {"repository": REPOSITORY, "uploads": {OLD: 4}}
    Job.objects.filter(pk=job.pk).update(progress={"phase": "clearing", "clearing": named})

    running.run(job.pk)

    assert not rest.exists()
    assert Entry.objects.get(act=Entry.Act.CLEAR_UPLOADS).count == 1


def test_only_staff_remove_them(registry: Checking) -> None:
    with pytest.raises(NotPermitted):
        uploads.request_clearing(registry.row, make.person("ana"))
