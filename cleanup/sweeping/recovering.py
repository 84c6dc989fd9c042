"""Finding out what sweeps have taken, and putting back what is in use, or all of it."""

from __future__ import annotations

from typing import Final

from catalog.recording.chunks import by_number
from cleanup.models import Sweep, SweptBlob
from cleanup.sweeping.ground import Ground, sharing
from cleanup.sweeping.putting_back import PuttingBack
from cleanup.sweeping.rows import ROWS, in_parts, note
from cleanup.sweeping.trial import clear_away
from jobs.running import Lease
from oci.names import Digest
from oci.storage.marking import Marks

_STATE: Final = SweptBlob.State


class Recovery:
    """Of one sweep; each step raises StorageFault, JobFailed, LeaseLost."""

    def __init__(self, sweep: Sweep, lease: Lease, ground: Ground) -> None:
        self._sweep, self._lease, self._ground = sweep, lease, ground

    def recover(self, marks: Marks) -> None:
        """Whatever any sweep of this storage has taken and is in use, or linked anew, is put back as it was.

        What was begun lies aside or does not, whoever died: that is found out. What lies aside and no row knows of is
        put back too: rows may be those of last night.
        """
        clear_away(self._ground)
        rows = SweptBlob.objects.unsettled().filter(sweep__registry__in=sharing(self._sweep.registry))
        for sets in by_number(list(self._ground.aside.everything()), ROWS):
            known = set(rows.filter(digest__in=[one.digest for one in sets]).values_list("digest", flat=True))
            for one in sets:
                if one.digest not in known and not self._ground.aside.put_back(Digest.parse(one.digest)):
                    self._ground.aside.drop(Digest.parse(one.digest))  # it was not whole
        putting = PuttingBack(self._ground)
        for some in by_number(rows.in_order().iterator(chunk_size=ROWS), ROWS):
            is_aside = {blob.digest for blob in some if self._ground.aside.is_aside(Digest.parse(blob.digest))}
            linked = marks.linked_now(is_aside)
            used = {blob for blob in some if marks.is_used(blob.digest) or blob.digest in linked}
            note(self._lease, putting.put(used), _STATE.KEPT)
            note(self._lease, [blob for blob in some if blob not in used and blob.digest in is_aside], _STATE.ASIDE)
        putting.check_used()

    def link_begun(self) -> None:
        """What was unlinked, and not moved before the sweep broke off, is linked again, and planned as before."""
        putting = PuttingBack(self._ground)
        begun = self._sweep.blobs.filter(state=_STATE.BEGUN)
        note(self._lease, putting.put(begun.in_order()), _STATE.PLANNED)
        note(self._lease, putting.lost, _STATE.DELETED)
        putting.check()

    def put_all_back(self, state: SweptBlob.State) -> None:
        """All that this sweep has taken, or may have; each is in `state` then."""
        putting = PuttingBack(self._ground)
        for some in in_parts(self._sweep.blobs.unsettled()):
            note(self._lease, putting.put(some), state)
            self._lease.tell(phase="putting-back")
        putting.check()
        note(self._lease, putting.lost, _STATE.DELETED)
        putting.check_unused()
