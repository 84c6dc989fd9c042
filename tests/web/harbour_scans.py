"""The scans of the believable registry, what the last one changed, its namespaces, and the watched ones of another."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from catalog.models import NamespaceTotal, Repository, Scan, Tag, TagSpan, WatchedRepository
from catalog.recording.repositories import summary
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make

_GIGABYTE: Final = 10**9
# Name, repositories, tags, and gigabytes: pushed, stored, only there.
_TOTALS: Final = (
    ("ml", 2, 310, 702, 148, 131),
    ("platform", 3, 402, 268, 71, 49),
    ("platform/auth", 1, 31, 42, 18, 9),
    ("data", 2, 190, 196, 62, 44),
    ("data/warehouse", 1, 88, 91, 34, 22),
    ("web", 2, 171, 148, 44, 31),
    ("payments", 2, 120, 92, 38, 24),
    ("base", 3, 74, 51, 29, 22),
    ("odd", 1, 9, 12, 9, 9),
    ("tools", 1, 33, 9, 4, 3),
    ("", 1, 7, 4, 3, 3),
)
_WATCHED: Final = {
    "edge/cache": Repository.State.WHOLE,
    "edge/proxy": Repository.State.FAILED,
    "edge/idle": Repository.State.EMPTY,
    "edge/no-such-thing": None,
}


def build(where: Registry, edge: Registry, api: Repository) -> Scan:
    """The last scan, which came to its end a few minutes ago."""
    _total(where)
    for hours in range(30, 0, -2):
        _quiet(where, hours)
    job = make.job(
        where, Job.State.STOPPED, finished_at=timezone.now(), message="Stopped. What was done until then stays."
    )
    began = timezone.now() - timedelta(minutes=50)
    make.scan(where, job=job, complete=False, started_at=began, finished_at=began + timedelta(seconds=9))
    last = _last(where, api)
    _watch(edge)
    return last


def _total(where: Registry) -> None:
    """The namespaces that have bytes of their own, and the others by their counts."""
    make.count_namespaces(where)
    for name, repositories, tags, pushed, stored, unique in _TOTALS:
        sums = {"tags": tags, "images": tags * 2 // 3, "repositories": repositories}
        sums |= {"pushed": pushed * _GIGABYTE, "stored": stored * _GIGABYTE, "unique": unique * _GIGABYTE}
        place = {"parent": name.rpartition("/")[0]}
        NamespaceTotal.objects.update_or_create(registry=where, namespace=name, defaults={**place, **sums})


def _quiet(where: Registry, hours: int) -> None:
    began = timezone.now() - timedelta(hours=hours)
    changed = {"new_tags": hours % 5, "moved_tags": hours % 3, "gone_tags": hours % 4 // 3}
    make.scan(where, started_at=began, finished_at=began + timedelta(seconds=30 + hours), **changed, **_FOUND)


def _last(where: Registry, api: Repository) -> Scan:
    began = timezone.now() - timedelta(minutes=9)
    tags = {tag.name: tag for tag in Tag.objects.filter(repository=api).select_related("presence")}
    before = tags["nightly"].presence
    spans = []
    for name in ("1.27.3", "latest", "stable", "1.27"):
        tag = tags[name]
        if tag.presence is None or before is None:
            continue
        seen = began + timedelta(seconds=20)
        if name != "1.27.3":
            long_ago = began - timedelta(days=9)
            spans.append(
                TagSpan(
                    tag=tag, repository_id=tag.repository_id, manifest_id=before.manifest_id, began=long_ago, ended=seen
                )
            )
        spans.append(
            TagSpan(tag=tag, repository_id=tag.repository_id, manifest_id=tag.presence.manifest_id, began=seen)
        )
    gone = Tag.objects.filter(repository__name="team/retired").select_related("presence").get()
    if gone.presence is not None:
        ended = began + timedelta(seconds=31)
        spans.append(
            TagSpan(
                tag=gone,
                repository_id=gone.repository_id,
                manifest_id=gone.presence.manifest_id,
                began=began - timedelta(days=40),
                ended=ended,
            )
        )
    TagSpan.objects.bulk_create(spans)
    changed = {"new_tags": 1, "moved_tags": 3, "gone_tags": 1}
    folder = {"untagged_manifests": 214, "uploads": 2, "upload_bytes": 840_000_000}
    disk = {"disk_blobs": 18_204, "disk_bytes": 466 * _GIGABYTE}
    return make.scan(
        where,
        started_at=began,
        finished_at=began + timedelta(minutes=4, seconds=6),
        job=make.job(
            where, Job.State.DONE, started_at=began, message=summary(Scan(repositories=19, tags=1316, **changed))
        ),
        **{**_FOUND, **changed, **folder, **disk, "busy_answers": 12, "at_once": 6},
    )


def _watch(edge: Registry) -> None:
    edge.capabilities = {"generation": 3, "catalog_allowed": False, "deletes": False}
    edge.probed_at = timezone.now()
    edge.save()
    for name, state in _WATCHED.items():
        WatchedRepository.objects.create(registry=edge, name=name, learnt=name == "edge/cache")
        if state is not None:
            problem = "GET v2/edge/proxy/tags/list was refused with 403: DENIED" if state == "failed" else ""
            make.repository(edge, name, state=state, problem=problem)
    now = timezone.now() + timedelta(seconds=1)
    refusal = "GET v2/_catalog was refused with 401: UNAUTHORIZED authentication required"
    make.scan(edge, started_at=now, finished_at=now, repositories=3, is_of_watched=True, catalog_refusal=refusal)
    WatchedRepository.objects.create(registry=edge, name="edge/named-just-now", added_at=now + timedelta(minutes=1))


_FOUND: Final = {
    "repositories": 19,
    "failed_repositories": 1,
    "rejected_names": 2,
    "broken": 5,
    "tags": 1316,
    "images": 870,
    "stored": 412 * _GIGABYTE,
    "pushed": 1_482 * _GIGABYTE,
    "shared": 96 * _GIGABYTE,
    "requests": 3120,
    "at_once": 8,
}
