"""Taking blobs out of a registry that runs, some at a time: unlinked, looked at again, moved aside, looked at again.

A manifest may be accepted in the very moment in which a blob of it is unlinked: the registry had looked just before. So
whoever unlinks looks right before and right after, and puts back at once what came into use in between.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Final

from django.utils.translation import gettext_noop

from cleanup.models import Sweep, SweptBlob
from cleanup.sweeping.caches import links_of
from cleanup.sweeping.ground import Ground
from cleanup.sweeping.putting_back import PuttingBack, own_links, put_all_back
from cleanup.sweeping.rows import note
from jobs.running import JobFailed, Lease
from oci.errors import NotFound, RegistryError
from oci.names import Digest, RepositoryName
from oci.storage.marking import Link, Marks

_STATE: Final = SweptBlob.State
_STILL: Final = gettext_noop(
    "The registry still says that %(repository)s has a blob which was unlinked there: a cache of it is not cleared, as"
    " with several processes that each have their own. The blob was put back, and the sweep goes no further."
)
SENTENCES: Final = (_STILL,)

log = logging.getLogger(__name__)


class Unlinking:
    """`before_ns`: what was linked since then is left alone."""

    def __init__(self, sweep: Sweep, lease: Lease, ground: Ground, marks: Marks, before_ns: int) -> None:
        self._sweep, self._lease, self._ground = sweep, lease, ground
        self._marks, self._before_ns = marks, before_ns

    def carry(self, blobs: Sequence[SweptBlob]) -> None:
        """Move them aside, but for what is in use again. Raises RegistryError, StorageFault, JobFailed, LeaseLost.

        Then too what is in use of them is where it was.
        """
        note(self._lease, blobs, _STATE.BEGUN)
        unlinked: list[SweptBlob] = []
        try:
            for blob in blobs:
                if self._unlink(blob):
                    unlinked.append(blob)  # noqa: PERF401  when one fails, these have to be known
            kept = set(blobs) - set(unlinked)
            self._ground.cache.forget(link for blob in unlinked for link in links_of(blob.digest, self._folders(blob)))
            kept |= self._put_back_used(unlinked)
            aside = [blob for blob in unlinked if blob not in kept]
            for blob in aside:
                self._lease.look()  # whoever was frozen must not move what is in use by now
                self._ground.aside.take(Digest.parse(blob.digest))
            kept |= self._put_back_used(aside)
        except BaseException:
            self._save(unlinked)
            raise
        note(self._lease, kept, _STATE.KEPT)
        note(self._lease, [blob for blob in aside if blob not in kept], _STATE.ASIDE)

    def ask_again(self, blobs: Sequence[SweptBlob]) -> None:
        """Of what lies aside the registry must not say that it is there. Raises as `carry`.

        A request that looked right before a blob was unlinked may have remembered it right after: it forgets once more,
        and a manifest that was accepted because of it keeps what it names.
        """
        for blob in blobs:
            self._ground.cache.forget(links_of(blob.digest, self._folders(blob)))
            for link in self._folders(blob):
                if self._is_remembered(link):
                    self._delete(link)
            self._lease.tell(phase="asking-again")
        note(self._lease, self._put_back_used(blobs), _STATE.KEPT)

    def _unlink(self, blob: SweptBlob) -> bool:
        """False where it is in use again; then it is linked as before."""
        links = own_links(blob)
        repositories = {link.repository for link in links}
        if self._came_into_use(blob, repositories):
            return False
        try:
            for number, link in enumerate(links):
                self._lease.look()  # whoever was frozen must not unlink what another has put back
                if self._is_pushed_again(link) or (number and self._came_into_use(blob, {link.repository})):
                    put_all_back(self._ground, [blob])
                    return False
                self._delete(link)
            with self._lease.writing():
                pass
            if not self._came_into_use(blob, repositories):
                return True
        except BaseException:
            put_all_back(self._ground, [blob])
            raise
        self._put_back([blob])
        return False

    def _is_pushed_again(self, link: Link) -> bool:
        linked_ns = self._marks.linked_ns(link)
        return linked_ns is not None and linked_ns >= self._before_ns

    def _folders(self, blob: SweptBlob) -> list[Link]:
        """Its links, and those that repositories once had: a cache may remember them still."""
        return sorted({*own_links(blob), *self._marks.links.get(blob.digest, ())})

    def _came_into_use(self, blob: SweptBlob, repositories: set[RepositoryName]) -> bool:
        self._marks.look_at(repositories)
        return self._marks.is_used(blob.digest)

    def _delete(self, link: Link) -> None:
        client, digest = self._ground.client, Digest.parse(link.digest)
        try:
            client.delete_blob(link.repository, digest)
        except NotFound as refusal:
            if not refusal.reasons:
                raise
        if self._is_remembered(link):
            raise JobFailed(_STILL % {"repository": link.repository})

    def _is_remembered(self, link: Link) -> bool:
        """Whether the registry says that it is there though it is not linked, before and after it was asked."""
        return (
            self._marks.linked_ns(link) is None
            and self._ground.client.blob_exists(link.repository, Digest.parse(link.digest))
            and self._marks.linked_ns(link) is None
        )

    def _put_back_used(self, blobs: Sequence[SweptBlob]) -> set[SweptBlob]:
        """Those that a manifest names now, or that somebody has linked since they were unlinked."""
        self._marks.look()
        linked = self._marks.linked_now({blob.digest for blob in blobs})
        back = {blob for blob in blobs if self._marks.is_used(blob.digest) or blob.digest in linked}
        self._put_back(back)
        return back

    def _save(self, blobs: Sequence[SweptBlob]) -> None:
        """What is in use of them, when something has failed; where that cannot be known, all."""
        try:
            self._put_back_used(blobs)
        except (RegistryError, JobFailed):
            put_all_back(self._ground, blobs)

    def _put_back(self, blobs: Collection[SweptBlob]) -> None:
        putting = PuttingBack(self._ground)
        putting.put(blobs)
        putting.check_used()
