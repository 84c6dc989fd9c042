"""Carrying out a deletion: first the tags, in chunks, then the manifests that are to go too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils import timezone

from catalog.models import Tag
from catalog.recording import tags
from catalog.recording.chunks import by_number
from catalog.scanning.api import read_tag
from catalog.scanning.reading import BatchReading
from oci.errors import NotFound
from oci.names import parse_repository
from tagging.course import BrokenOff, Course
from tagging.manifests import ManifestDeletion
from tagging.means import Way, means_to_delete
from tagging.models import PlanItem
from tagging.untagging import CHUNK, Untagging

_UNTAGS: Final = PlanItem.Step.DELETE_TAG


def way_to_delete(course: Course, repository_id: int) -> Way:
    """How single tags go there. Raises BrokenOff where they cannot."""
    repository = course.repository(repository_id)
    means = means_to_delete(repository.registry, course.client, parse_repository(repository.name))
    if means.problem:
        raise BrokenOff(means.problem)
    return means.way


class Deletion:
    def __init__(self, course: Course) -> None:
        self._course = course
        self._items = course.plan.items.select_related("repository__registry", "throwaway").in_order()

    def run(self, *, only_begun: bool) -> None:
        touched: set[int] = set()
        try:
            self._finish(touched)
            if not only_begun:
                self._delete_tags(touched)
                self._delete_manifests(touched)
        finally:
            self._course.tidy(touched)

    def _finish(self, touched: set[int]) -> None:
        for repository, items in self._course.by_repository(self._items.begun().filter(step=_UNTAGS)):
            touched.add(repository)
            Untagging(self._course, repository, Way.TAG).finish(items)
        for repository, items in self._course.by_repository(self._items.begun().exclude(step=_UNTAGS)):
            touched.add(repository)
            ManifestDeletion(self._course, repository).finish(items)

    def _delete_tags(self, touched: set[int]) -> None:
        for repository, items in self._course.by_repository(self._items.open().filter(step=_UNTAGS)):
            touched.add(repository)
            self._course.tell()
            untagging = Untagging(self._course, repository, way_to_delete(self._course, repository))
            for chunk in by_number(items, CHUNK):
                untagging.delete(chunk)
            self._look_again(repository, (item.tag for item in items))

    def _delete_manifests(self, touched: set[int]) -> None:
        open_items = self._items.open().filter(step=PlanItem.Step.DELETE_MANIFEST)
        for repository, items in self._course.by_repository(open_items):
            touched.add(repository)
            ManifestDeletion(self._course, repository).delete(items)

    def _look_again(self, repository_id: int, names: Iterable[str]) -> None:
        """What is listed still, or again, was pushed meanwhile, or left alone: the catalog says so."""
        repository, client = self._course.repository(repository_id), self._course.client
        name = parse_repository(repository.name)
        try:
            listed = {tag for page in client.tags(name) for tag in page.names}
        except NotFound:
            return
        gone = set(Tag.objects.gone().filter(repository=repository).values_list("name", flat=True))
        readings = [read_tag(client, name, tag, None) for tag in sorted(listed & set(names) & gone)]
        if readings:
            batch = BatchReading(readings)
            batch.contents = {r.digest: r.content for r in readings if r.digest and r.content is not None}
            batch.present = set(batch.contents)
            tags.record(self._course.lease, repository, batch, timezone.now())
