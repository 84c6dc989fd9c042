"""Putting back what a sweep has taken: each blob that can be, whatever stands in the way of another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext_noop

from cleanup.halting import halt
from cleanup.models import SweptBlob
from cleanup.sweeping.ground import Ground
from jobs.running import JobFailed
from oci.names import Digest
from oci.storage import StorageFault
from oci.storage.marking import Link

_LOST: Final = gettext_noop(
    "%(digest)s is in use again, and its data, which a sweep had moved aside, are gone or damaged. Push an image that"
    " has it once more: then it is whole."
)
_SOME_LOST: Final = gettext_noop(
    "The data of %(blobs)s blobs that lay aside are gone or damaged, %(digest)s among them. They cannot be put back."
    " All else was."
)
SENTENCES: Final = (_LOST, _SOME_LOST)


class PuttingBack:
    """`lost` are those whose data are neither aside nor in their place, or not whole."""

    def __init__(self, ground: Ground) -> None:
        self.lost: list[SweptBlob] = []
        self._ground = ground
        self._fault: StorageFault | None = None

    def put(self, blobs: Iterable[SweptBlob]) -> list[SweptBlob]:
        """As they were: their data first, then every link that they had. Those that are back; see `check`."""
        back: list[SweptBlob] = []
        for blob in blobs:
            try:
                is_whole = self._is_put(blob)
            except StorageFault as fault:
                self._fault = self._fault or fault
                continue
            (back if is_whole else self.lost).append(blob)
        return back

    def check(self) -> None:
        """Raises the first StorageFault that there was."""
        if self._fault is not None:
            raise self._fault

    def check_used(self) -> None:
        """The same; and where data are lost that are in use, no sweep goes on: JobFailed."""
        if self.lost:
            why = _LOST % {"digest": self.lost[0].digest}
            halt(self._ground.registry, why)
            raise JobFailed(why)
        self.check()

    def check_unused(self) -> None:
        """The same, where nobody needs them now."""
        self.check()
        if self.lost:
            raise JobFailed(_SOME_LOST % {"blobs": f"{len(self.lost):,}", "digest": self.lost[0].digest})

    def _is_put(self, blob: SweptBlob) -> bool:
        digest = Digest.parse(blob.digest)
        self._ground.aside.put_back(digest, blob.size)
        for link in own_links(blob):
            self._ground.aside.link(link, digest)
        return self._ground.folder.blob_size(digest) == blob.size


def own_links(blob: SweptBlob) -> list[Link]:
    return [Link(repository, digest) for repository, digest in blob.links]


def put_all_back(ground: Ground, blobs: Iterable[SweptBlob]) -> None:
    """In passing, when something else has failed: what cannot be is left to whoever goes on."""
    PuttingBack(ground).put(blobs)
