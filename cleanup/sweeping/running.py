"""One sweep as a job: plan, move aside, look again, hold, delete; each attempt goes on where the last one ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from audit.models import Entry
from catalog.recording.chunks import by_number
from cleanup.models import Sweep, SweptBlob
from cleanup.models.sweeps import SweptBlobQuerySet
from cleanup.sweeping.ending import (
    DONE,
    FAULT,
    GONE,
    HOLDS,
    OVER,
    PLANNED,
    PUT_BACK,
    STOPPED,
    End,
    end,
    tell_end,
)
from cleanup.sweeping.ground import Ground, check_may_sweep, stand_on, stand_to_put_back
from cleanup.sweeping.keeping import kept_by_trash, name_lost
from cleanup.sweeping.left import LeftUploads
from cleanup.sweeping.recovering import Recovery
from cleanup.sweeping.rows import ROWS, in_parts, note
from cleanup.sweeping.trial import try_out
from cleanup.sweeping.unlinking import Unlinking
from jobs.running import JobFailed, Lease, LeaseLost, Stopped, reason_of
from oci.errors import RegistryError
from oci.names import Digest, RepositoryName
from oci.storage.garbage import Garbage
from oci.storage.marking import Marks
from registries.clients import client_for
from registries.models import Registry

KIND: Final = "sweep"
_CHUNK: Final = 100  # blobs that are unlinked before all is looked at again
_LOOK: Final = 0.5  # seconds between two words while it waits
_STATE: Final = SweptBlob.State
_UNSEEN: Final = frozenset({Sweep.State.UNDER_WAY, Sweep.State.BROKEN_OFF})  # nobody has looked again at what it moved
log = logging.getLogger(__name__)


def run(lease: Lease) -> str:
    """What the sweep that the lease's job is about came to, for people. Raises JobFailed, Stopped."""
    sweep = Sweep.objects.select_related("registry").filter(pk=lease.params["sweep"]).first()
    if sweep is None:
        return GONE
    if sweep.state == Sweep.State.DONE:
        return OVER
    try:
        with client_for(sweep.registry, lease.caller) as client:
            if lease.params.get("undo"):
                return _Sweeping(sweep, lease, stand_to_put_back(sweep.registry, client)).undo()
            return _Sweeping(sweep, lease, stand_on(sweep.registry, client)).run()
    except Stopped:
        end(lease, sweep, Sweep.State.BROKEN_OFF, STOPPED)
        raise
    except (LeaseLost, OperationalError, InterfaceError):
        raise  # somebody goes on with it
    except RegistryError as error:
        sentence = FAULT % {"why": str(error).rstrip(".")}
        end(lease, sweep, Sweep.State.BROKEN_OFF, sentence)
        raise JobFailed(sentence) from error
    except Exception as error:
        end(lease, sweep, Sweep.State.BROKEN_OFF, reason_of(error))
        raise


class _Sweeping:
    def __init__(self, sweep: Sweep, lease: Lease, ground: Ground) -> None:
        self._sweep, self._lease, self._ground = sweep, lease, ground
        self._left = LeftUploads(sweep, lease, ground.folder)
        self._recovery = Recovery(sweep, lease, ground)

    def run(self) -> str:
        marks, since_ns = self._mark()
        before_ns = since_ns - self._sweep.grace_seconds * 10**9
        params = self._lease.params
        if params.get("finish"):
            self._recovery.link_begun()
        else:
            found = {one.digest: one for one in self._garbage(marks, before_ns)}
            if self._sweep.planned_at is None:
                self._plan(marks, found, since_ns)
            if params.get("only_plan"):
                return self._told(End(Sweep.State.PLANNED, PLANNED))
            self._take(marks, found, since_ns)
        if self._sweep.state in _UNSEEN and self._sweep.blobs.unsettled().exists():
            self._look_again(before_ns)
        return self._hold_or_finish(at_once=bool(params.get("at_once")))

    def _take(self, marks: Marks, found: dict[str, Garbage], since_ns: int) -> None:
        """Blobs are moved aside, and uploads that were left removed."""
        has_blobs = self._sweep.blobs.open().exists()
        if has_blobs:
            try_out(self._ground)
        if has_blobs or self._sweep.uploads.open().exists():
            self._begin(since_ns)
        if has_blobs:
            before_ns = since_ns - self._sweep.grace_seconds * 10**9
            self._carry(Unlinking(self._sweep, self._lease, self._ground, marks, before_ns), found)

    def undo(self) -> str:
        """Put back all that this sweep has taken, whatever sweeps are allowed now."""
        self._recovery.put_all_back(_STATE.PUT_BACK)
        return self._told(End(Sweep.State.DONE, PUT_BACK, Entry.Act.UNSWEEP))

    def _mark(self) -> tuple[Marks, int]:
        """Raises JobFailed where nobody knows what a manifest names; what is known to be in use is put back before."""
        since_ns = self._ground.aside.now_ns()
        marks = self._ground.folder.marks(since_ns)
        marks.read(lambda done, total: self._lease.tell(phase="marking", repositories=[done, total]))
        self._lease.tell(now=True, phase="marking")
        self._recovery.recover(marks)
        name_lost(marks)
        return marks, since_ns

    def _garbage(self, marks: Marks, before_ns: int) -> Iterator[Garbage]:
        kept = kept_by_trash(self._sweep.registry)
        return self._ground.folder.garbage(marks, before_ns, kept, self._busy(marks, before_ns))

    def _busy(self, marks: Marks, before_ns: int) -> set[RepositoryName]:
        """Repositories that somebody is pushing to: what they link may be of that push."""
        folder = self._ground.folder
        return {name for name in marks.repositories if any(up.touched_ns >= before_ns for up in folder.uploads(name))}

    def _plan(self, marks: Marks, found: dict[str, Garbage], now_ns: int) -> None:
        rows = (
            SweptBlob(sweep=self._sweep, digest=one.digest, size=one.size, links=marks.links_held(one.links))
            for one in sorted(found.values())
        )
        with self._lease.writing():
            self._sweep.blobs.all().delete()  # of an attempt that ended in the middle
        for some in by_number(rows, ROWS):
            with self._lease.writing():
                SweptBlob.objects.bulk_create(some)
        size = sum(one.size for one in found.values())
        uploads, upload_bytes = self._left.plan(marks.repositories, now_ns)
        self._write(
            state=Sweep.State.PLANNED,
            planned_at=timezone.now(),
            found=len(found),
            found_bytes=size,
            left_uploads=uploads,
            upload_bytes=upload_bytes,
            manifests=len(marks.manifests),
        )

    def _begin(self, now_ns: int) -> None:
        if self._sweep.began_at is None:
            self._left.forget_moved()
        self._write(state=Sweep.State.UNDER_WAY, began_at=self._sweep.began_at or timezone.now(), ended_at=None)
        self._left.remove(now_ns)

    def _carry(self, unlinking: Unlinking, found: dict[str, Garbage]) -> None:
        total = self._sweep.blobs.count()
        while chunk := list(self._sweep.blobs.open().in_order()[:_CHUNK]):
            check_may_sweep(Registry.objects.get(pk=self._sweep.registry_id))  # it may have been stopped meanwhile
            still = [blob for blob in chunk if blob.digest in found]
            note(self._lease, [blob for blob in chunk if blob.digest not in found], _STATE.KEPT)
            unlinking.carry(still)
            self._lease.tell(phase="unlinking", blobs=[total - self._sweep.blobs.open().count(), total])

    def _look_again(self, before_ns: int) -> None:
        """Wait, then mark everything anew: a manifest that was accepted meanwhile keeps what it names.

        Where that cannot be found out, all goes back that was moved; it may be carried out another time.
        """
        try:
            self._wait()
            marks, _ = self._mark()
            unlinking = Unlinking(self._sweep, self._lease, self._ground, marks, before_ns)
            for some in in_parts(self._aside()):
                unlinking.ask_again(some)
        except (RegistryError, JobFailed):
            self._recovery.put_all_back(_STATE.PLANNED)
            raise

    def _wait(self) -> None:
        until = time.monotonic() + self._sweep.settle_seconds
        while (left := until - time.monotonic()) > 0:
            self._lease.tell(phase="waiting")
            time.sleep(min(_LOOK, left))

    def _hold_or_finish(self, *, at_once: bool = False) -> str:
        """What lies aside is held until its time is over, or somebody says `at_once`; then it goes."""
        now = timezone.now()
        resumes_at = self._sweep.resumes_at or now + timedelta(seconds=self._sweep.hold_seconds)
        has_any = self._aside().exists()
        if has_any and now < resumes_at and not at_once:
            is_first = self._sweep.state != Sweep.State.HOLDING
            self._write(resumes_at=resumes_at)
            # While all of it can still be put back.
            return self._told(End(Sweep.State.HOLDING, HOLDS, Entry.Act.SWEEP if is_first else None, proves=is_first))
        self._delete()
        return self._told(End(Sweep.State.DONE, DONE, Entry.Act.SWEEP, proves=has_any))

    def _delete(self) -> None:
        while some := list(self._aside()[:_CHUNK]):
            check_may_sweep(Registry.objects.get(pk=self._sweep.registry_id))
            with self._lease.writing():  # still ours
                pass
            elsewhere = [blob for blob in some if self._drop(Digest.parse(blob.digest))]
            note(self._lease, elsewhere, _STATE.PUT_BACK)
            note(self._lease, set(some) - set(elsewhere), _STATE.DELETED)

    def _drop(self, digest: Digest) -> bool:
        """Delete it; True where it is not aside, and somebody else has put it back."""
        self._lease.tell(phase="deleting")  # raises where another went on while we were frozen
        if not self._ground.aside.is_aside(digest):
            return self._ground.folder.blob_size(digest) is not None
        self._ground.aside.drop(digest)
        return False

    def _aside(self) -> SweptBlobQuerySet:
        return self._sweep.blobs.filter(state=_STATE.ASIDE).in_order()

    def _told(self, told: End) -> str:
        return tell_end(self._lease, self._sweep, told)

    def _write(self, **columns: object) -> None:
        with self._lease.writing():
            Sweep.objects.filter(pk=self._sweep.pk).update(**columns)
        self._sweep.refresh_from_db()
