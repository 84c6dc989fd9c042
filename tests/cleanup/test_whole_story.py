"""Retention, untagged manifests and a sweep, one after another, where all kinds of content share and refer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Presence, Repository
from cleanup import pins
from cleanup.models import RetentionRun, UntaggedRun
from cleanup.untagged import services as untagged
from jobs import running
from jobs.models import Job
from registries.probing import probe
from tagging import planning, planning_restores, services
from tagging.models import TrashEntry
from tagging.planning import Asked
from tests.catalog.scanning import scan
from tests.cleanup.ground import SweptRegistry
from tests.cleanup.retention.furniture import carried_out, ends, policy
from tests.cleanup.shared_cache import Redis
from tests.real_registry import V2, RealRegistry, generations
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.any_database]

CACHES = ("none", "inmemory", "redis")
PLATFORMS = ("linux/amd64", "linux/arm64")
RELEASES = ("1.0.1", "1.0.2", "1.0.3", "1.1.1", "1.1.2")
DOOMED = ("1.0.1", "1.0.2", "1.1.1")
DAY = timedelta(days=1)


def places() -> Iterator[Any]:
    """2.8 with what it does by default always, all others as they are sampled."""
    for generation in generations():
        for cache in CACHES:
            is_usual = (generation, cache) == (V2, "inmemory")
            marks = () if is_usual else pytest.mark.sampled
            yield pytest.param((generation, cache), id=f"{generation}-{cache}", marks=marks)


@pytest.fixture(params=places())
def registry(request: pytest.FixtureRequest, tmp_path: Path, transactional_db: None) -> Iterator[SweptRegistry]:
    generation, cache = request.param
    with ExitStack() as stack:
        settings, url = {}, ""
        if cache == "redis":
            server = stack.enter_context(Redis())
            settings, url = server.settings(generation), server.url
        storage = {} if cache == "none" else {"cache": {"blobdescriptor": cache}}
        real = RealRegistry(tmp_path / "registry", generation, settings=settings, storage=storage)
        yield SweptRegistry(stack.enter_context(real), cache, url)


class Fleet:
    """What is pushed: releases of two platforms, aliases, signatures, and a repository that shares layers with them."""

    def __init__(self, registry: SweptRegistry) -> None:
        self.registry, self.blobs, self.signatures = registry, dict[str, set[str]](), dict[str, str]()
        self.app, self.other = registry.push("team/app"), registry.push("other")
        for release in RELEASES:
            self.push(release)
        for subject in ("1.0.1", "1.1.2"):
            self.signatures[subject] = self.app.artifact(subject=self.digest(subject), content=subject.encode())
            self.blobs[subject] |= self.signed_with(subject)
        for tag in ("kept", "run", "thrown"):
            self.other.image(tag, seed=tag, layers=[b"base", tag.encode()])
        self.other.image("1.0.2-copy", seed="1.0.2 linux/amd64", platform=PLATFORMS[0], layers=self._layers("1.0.2", 0))

    def push(self, release: str, *more: str) -> None:
        children = [
            self.app.image(seed=f"{release} {platform}", platform=platform, layers=self._layers(release, number))
            for number, platform in enumerate(PLATFORMS)
        ]
        aliases = {"1.1.2": ("1.1", "1", "latest")}.get(release, ())
        self.app.index(release, *aliases, *more, children=children)
        self.blobs[release] = {blob for child in children for blob in self.registry.blobs_of("team/app", child)}

    def digest(self, tag: str) -> str:
        return self.registry.layout.tag_link("team/app", tag).read_text()

    def signed_with(self, release: str) -> set[str]:
        return set(self.registry.blobs_of("team/app", self.signatures[release]))

    def only_of(self, *releases: str) -> set[str]:
        """Blobs that nothing but these releases uses; the copy of a platform in another repository is a use."""
        others = [blobs for release, blobs in self.blobs.items() if release not in releases]
        copied = set(self.registry.blobs_of("other", "1.0.2-copy"))
        return set().union(*(self.blobs[release] for release in releases)) - set().union(*others, copied)

    def size(self, blobs: set[str]) -> int:
        return sum(self.registry.layout.data(blob).stat().st_size for blob in blobs)

    @staticmethod
    def _layers(release: str, number: int) -> list[bytes]:
        return [b"base", f"libraries {release[:3]}".encode(), f"{release} {number}".encode() * 50]


def cleared(registry: SweptRegistry) -> UntaggedRun:
    run, job = untagged.begin(registry.row, here=True)
    running.run_here(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.message
    return UntaggedRun.objects.get(pk=run.pk)


def swept(registry: SweptRegistry) -> set[str]:
    """What a sweep deletes; as many bytes are gone as its plan said."""
    before, there = registry.stored, registry.blobs
    sweep, job = registry.sweep()
    assert job.state == Job.State.DONE, job.message
    assert registry.stored == before - sweep.found_bytes
    return there - registry.blobs


def test_all_that_is_kept_is_whole_and_all_that_goes_is_gone(registry: SweptRegistry, tmp_path: Path) -> None:
    fleet = Fleet(registry)
    mara = make.person("mara", staff=True)
    pinned = registry.layout.tag_link("other", "run").read_text()
    pins.report("cluster", [pinned], mara)
    probe(registry.row)
    registry.age()
    assert scan(registry.row).state == Job.State.DONE
    other = Repository.objects.select_related("registry").get(name="other")
    thrown = registry.blobs_of("other", "thrown")
    services.carry_out(planning.plan_tags(other, ["thrown"], Asked(mara)), mara)
    policy(registry.row, "versions", {"tags": ["*"], "newest_versions": 1, "line": "minor"}, repositories=["team/*"])
    policy(registry.row, "rest", {"tags": ["kept", "1.0.2-copy"], "newest": 9}, repositories=["*"], position=2)

    plan = carried_out(registry.row, only_plan=True)
    doomed = set(plan.tags.values_list("tag", flat=True))
    assert doomed == set(DOOMED)
    assert plan.frees == fleet.size(fleet.only_of(*DOOMED) - fleet.signed_with("1.0.1"))
    retained = carried_out(registry.row, allow=True)
    assert retained.state == RetentionRun.State.DONE
    assert ends(retained).items() >= dict.fromkeys(DOOMED, "done").items()

    # What is in the trash is kept whole by all that follows.
    registry.age()
    cleared(registry)
    assert swept(registry) == set()
    back = TrashEntry.objects.listed().filter(tag="1.0.2")
    services.carry_out(planning_restores.plan_restore(registry.row, list(back), Asked(mara)), mara)
    kept = [f"team/app:{tag}" for tag in ("1.0.2", "1.0.3", "1.1.2", "1.1", "1", "latest")]
    kept += [f"other:{tag}" for tag in ("kept", "run", "1.0.2-copy")]
    registry.pull_all(tmp_path / "restored", kept)

    # When its time in the trash is over, it goes for good, with its signature and the platforms that it listed.
    TrashEntry.objects.filter(restored_at=None).update(until=timezone.now())
    frees = fleet.only_of("1.0.1", "1.1.1") | set(thrown[:1]) | set(thrown[2:])
    size = fleet.size(frees)
    registry.age()
    assert scan(registry.row).state == Job.State.DONE
    Presence.objects.exclude(gone_at=None).update(gone_at=timezone.now() - 2 * DAY)
    assert cleared(registry).frees == size
    assert swept(registry) == set()  # it can be restored from the trash once more
    TrashEntry.objects.filter(restored_at=None).update(until=timezone.now())
    before = registry.stored
    assert swept(registry) == frees
    assert registry.stored == before - size
    registry.pull_all(tmp_path / "kept", kept)
    assert all(registry.blob_is_whole("team/app", blob) for blob in fleet.signed_with("1.1.2"))
    for tag in ("1.0.1", "1.1.1"):
        assert not any(registry.blob_is_whole("team/app", blob) for blob in fleet.blobs[tag] & frees)

    # And can be pushed again at once.
    for release in ("1.0.1", "1.1.1"):
        fleet.push(release, f"{release}-again")
    registry.pull_all(tmp_path / "again", [*kept, "team/app:1.0.1-again", "team/app:1.1.1"])
