"""Carrying out a retag, a copy, a rename: no byte of a layer travels, and the tag is put when all else is there."""

from __future__ import annotations

from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository
from catalog.policy import MAX_DEPTH
from oci.errors import BadAnswer, NotFound, Refused, Unreachable
from oci.fetched import Fetched
from oci.model import ImageIndex, ImageManifest
from oci.names import Digest, RepositoryName, parse_repository
from registries.models import for_asking
from tagging.course import REFUSALS, REFUSES, BrokenOff, Course
from tagging.deleting import way_to_delete
from tagging.models import PlanItem
from tagging.outcome import Outcome, settle
from tagging.pointing import Pointing, nothing_was_done
from tagging.trash import Kept
from tagging.untagging import Untagging

_MOST: Final = 2_000  # manifests of one image
_INCOMPLETE: Final = gettext_noop("it cannot be copied, since a part of it is missing at the source: %(digest)s")
_LARGE: Final = gettext_noop("it lists more than %(n)s manifests")
_UNLINKED: Final = gettext_noop("the registry would not link the blob %(digest)s from %(source)s")
_REFUSED: Final = gettext_noop("the registry does not take it: %(why)s")
_NOT_PUT: Final = gettext_noop("the new tag was not set, so the old one stays")
SENTENCES: Final = (_INCOMPLETE, _LARGE, _UNLINKED, _REFUSED, _NOT_PUT)


class _Stuck(Exception):  # noqa: N818  it says, for people, why this item cannot be done
    """One item cannot be done; others may."""


class Copying:
    def __init__(self, course: Course) -> None:
        self._course = course
        self._items = (
            course.plan.items.select_related("repository__registry", "throwaway")
            .defer(*for_asking("repository__registry"))
            .in_order()
        )
        self._source = course.repository(int(course.plan.params["source"]))
        self._from: RepositoryName = parse_repository(self._source.name)

    def run(self, *, only_begun: bool) -> None:
        touched: set[int] = set()
        try:
            for item in list(self._items.begun() if only_begun else self._items.open()):
                touched.add(item.repository_id)
                if item.step == PlanItem.Step.DELETE_TAG:
                    self._delete_old(item)
                else:
                    self._copy(item)
                    self._course.tell(settled=1, phase="copying")
        finally:
            self._course.tidy(touched)

    def _delete_old(self, item: PlanItem) -> None:
        """Never before the new one is there."""
        puts = self._course.plan.items.filter(step=PlanItem.Step.PUT_TAG).exclude(tag="").order_by("-position")
        if puts[0].state != PlanItem.State.DONE:
            self._settle(Outcome.skipped(item, _NOT_PUT))
            return
        untagging = Untagging(self._course, item.repository_id, way_to_delete(self._course, item.repository_id))
        if item.state == PlanItem.State.BEGUN:
            untagging.finish([item])
        else:
            untagging.delete([item])

    def _copy(self, item: PlanItem) -> None:
        """Raises BrokenOff and RegistryError once the rest would only fail too."""
        pointing = Pointing(self._course, item) if item.tag else None
        try:
            self._put(item, pointing)
        except _Stuck as reason:
            self._settle(Outcome.failed(item, str(reason)))
        except Refused as refusal:
            if nothing_was_done(refusal, pointing):
                self._settle(Outcome.failed(item, _REFUSED % {"why": refusal}))
            elif not isinstance(refusal, REFUSALS):
                raise
            if isinstance(refusal, REFUSALS):
                raise BrokenOff(REFUSES % {"why": refusal}) from refusal

    def _put(self, item: PlanItem, pointing: Pointing | None) -> None:
        if pointing and (reason := pointing.refuse(may_move=True)):
            self._settle(Outcome.skipped(item, reason))
            return
        parts = self._parts(Digest.parse(item.target), pointing)
        if pointing and (reason := pointing.begin()):
            raise _Stuck(reason)
        self._bring(item.repository, parts)
        kept = [Kept(str(part.digest), part.media_type, part.content) for part in parts]
        if pointing:
            if reason := pointing.put(kept[-1]):
                self._settle(Outcome.skipped(item, reason))
            else:
                pointing.settle(kept, restores=False)
        else:
            self._put_by_digest(item.repository, parts[-1])
            self._settle(Outcome.done(item))

    def _parts(self, digest: Digest, pointing: Pointing | None) -> list[Fetched]:
        """The image and all that it lists, as the source has them now; what others list comes first, itself last.

        Where the tag is put already they are there too, whatever became of the source since.
        """
        try:
            return self._read_all(self._from, digest)
        except _Stuck:
            if pointing is None or not pointing.is_there:
                raise
            return self._read_all(pointing.name, digest)

    def _read_all(self, where: RepositoryName, digest: Digest) -> list[Fetched]:
        found: dict[Digest, Fetched] = {}
        self._read(where, digest, found, MAX_DEPTH)
        return list(found.values())

    def _read(self, where: RepositoryName, digest: Digest, found: dict[Digest, Fetched], depth: int) -> None:
        try:
            fetched = self._course.client.manifest(where, digest)
        except NotFound as refusal:
            if not refusal.reasons:
                raise
            raise _Stuck(_INCOMPLETE % {"digest": digest}) from None
        assert fetched is not None  # noqa: S101  no condition was made
        if isinstance(fetched.manifest, ImageIndex) and depth:
            for child in fetched.manifest.manifests:
                if child.digest not in found:
                    self._read(where, child.digest, found, depth - 1)
        if len(found) >= _MOST:
            raise _Stuck(_LARGE % {"n": _MOST})
        found.setdefault(fetched.digest, fetched)

    def _bring(self, repository: Repository, parts: list[Fetched]) -> None:
        """All but the last into the target: blobs are linked there, manifests put by their digests."""
        if repository.pk == self._source.pk:
            return
        target = parse_repository(repository.name)
        for digest in _blobs(parts):
            if not self._course.client.blob_exists(target, digest) and not self._mount(target, digest):
                raise _Stuck(_UNLINKED % {"digest": digest, "source": self._from})
        for part in parts[:-1]:
            self._put_by_digest(repository, part)

    def _mount(self, target: RepositoryName, digest: Digest) -> bool:
        """A POST whose answer was lost is sent again: a blob that is linked twice is linked."""
        client = self._course.client
        try:
            return client.mount_blob(target, digest, self._from)
        except Unreachable:
            return client.blob_exists(target, digest) or client.mount_blob(target, digest, self._from)
        except BadAnswer:
            return False

    def _put_by_digest(self, repository: Repository, part: Fetched) -> None:
        name, client = parse_repository(repository.name), self._course.client
        if not client.manifest_exists(name, part.digest):
            client.put_manifest(name, part.digest, part.media_type, part.content)

    def _settle(self, outcome: Outcome) -> None:
        with self._course.lease.writing():
            settle(self._course.plan, [outcome], timezone.now())


def _blobs(parts: list[Fetched]) -> list[Digest]:
    digests: dict[Digest, None] = {}
    for part in parts:
        if isinstance(part.manifest, ImageManifest):
            digests |= dict.fromkeys(blob.digest for blob in (part.manifest.config, *part.manifest.layers))
    return list(digests)
