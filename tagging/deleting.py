"""Carrying out a deletion: first the tags, in chunks, then the manifests that are to go too."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Tag
from catalog.recording import tags
from catalog.recording.chunks import by_number
from catalog.scanning.api import read_tag
from catalog.scanning.reading import BatchReading, TagReading
from oci.errors import NotFound, RegistryError
from oci.names import parse_repository
from registries.models import for_asking
from tagging.course import BrokenOff, Course
from tagging.manifests import ManifestDeletion
from tagging.means import Way, means_to_delete
from tagging.models import PlanItem
from tagging.outcome import Outcome, correct
from tagging.untagging import CHUNK, Untagging

_UNTAGS: Final = PlanItem.Step.DELETE_TAG
_STILL: Final = gettext_noop("the registry said that it deleted it, and has it still or again, with the same image")
SENTENCES: Final = (_STILL,)

log = logging.getLogger(__name__)


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
        self._items = (
            course.plan.items.select_related("repository__registry", "throwaway")
            .defer(*for_asking("repository__registry"))
            .in_order()
        )

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
            self._look_again(repository, items)

    def _delete_manifests(self, touched: set[int]) -> None:
        open_items = self._items.open().filter(step=PlanItem.Step.DELETE_MANIFEST)
        for repository, items in self._course.by_repository(open_items):
            touched.add(repository)
            ManifestDeletion(self._course, repository).delete(items)

    def _look_again(self, repository_id: int, items: Sequence[PlanItem]) -> None:
        """What is listed still, or again, was left alone, pushed meanwhile, or never deleted: all that is said."""
        repository = self._course.repository(repository_id)
        try:
            readings = self._still_there(repository, items)
        except RegistryError as fault:
            log.warning("%s could not be looked at after tags were deleted: %s", repository.name, fault)
            return
        if not readings:
            return
        now = timezone.now()
        found = {str(reading.tag): reading.digest for reading in readings}
        undone = [Outcome.failed(item, _STILL) for item in items if item.digest and found.get(item.tag) == item.digest]
        batch = BatchReading(readings)
        batch.contents = {r.digest: r.content for r in readings if r.digest and r.content is not None}
        batch.present = set(batch.contents)
        plan = self._course.plan
        tags.record(self._course.lease, repository, batch, now, along=lambda: correct(plan, undone, now))

    def _still_there(self, repository: Repository, items: Sequence[PlanItem]) -> list[TagReading]:
        """Those that the registry lists and the catalog does not, as they are now."""
        client, name = self._course.client, parse_repository(repository.name)
        try:
            listed = {tag for page in client.tags(name) for tag in page.names}
        except NotFound as refusal:
            if not refusal.reasons:
                raise
            return []
        asked = listed & {item.tag for item in items}
        gone = set(Tag.objects.gone().filter(repository=repository, name__in=asked).values_list("name", flat=True))
        return [read_tag(client, name, tag, None) for tag in sorted(asked & gone)]
