"""Carrying out a run: each of its items once, whoever dies in between.

The thread of the job alone knows the database. It commits what is about to be put before that is put, and how it
ended after; threads of the engine do the copying. An item that was begun and not ended is begun again: what of it is at
the target is found there, and does not travel twice.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import Error as DatabaseFault
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.services import set_out_for
from jobs.running import Lease
from oci.client import RegistryClient
from oci.errors import NotFound, RegistryError
from oci.names import Digest, parse_repository, parse_tag
from oci.transfer.attached import Wanted
from oci.transfer.sides import Side, at
from sync.engine import BackupHeld, Ended, Engine, Errand, Meter, Placed, TagMoved
from sync.faults import Away, Reach, fault_of
from sync.holding import hold
from sync.models import Item, Run
from sync.outcome import Outcome, settle
from sync.pausing import Paused, ask_for_quota, room_for, why_not_now
from sync.progress import Progress
from sync.shielding import Shield
from sync.terms import Terms

TRIES: Final = 3  # then an item is given up: it fails each time, or has killed whoever tried it
_AHEAD: Final = 12  # items that are begun at once
_TOGETHER: Final = 20  # outcomes that are written at once, or
_SOON: Final = 0.5  # seconds after the first of them
_LOOK: Final = 0.2
_AWAY: Final = 5  # items in a row that a registry did not answer for
_MOVED: Final = gettext_noop("it points to another image now: it was moved since this was planned")
_HELD: Final = gettext_noop("another run is writing it")
_BACKUP_HELD: Final = gettext_noop("the tag %(tag)s, under which what is there was to be kept, is protected")
_DEADLY: Final = gettext_noop("it was tried %(n)s times, and never came to its end")
_MISTAKE: Final = gettext_noop("Berth itself made a mistake (%(fault)s); the log has the details.")
SENTENCES: Final = (_MOVED, _HELD, _BACKUP_HELD, _DEADLY, _MISTAKE)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Copy:
    """One item under way."""

    item: Item
    errand: Errand
    meter: Meter
    placed: Placed | None = None


class _Shut(NamedTuple):
    """What lets nobody in: the rest of that repository is not tried."""

    side: Side
    repository: str


class Copying:
    def __init__(  # noqa: PLR0913  each is a part of a run
        self,
        run: Run,
        lease: Lease,
        source: RegistryClient,
        engine: Engine,
        *,
        shield: Shield,
        closes_at: datetime | None = None,
    ) -> None:
        """`closes_at`: when its hours are over, after which nothing more is begun."""
        self._run, self._lease, self._source, self._engine = run, lease, source, engine
        self._shield, self._closes_at = shield, closes_at
        self._terms = Terms.read(run.terms)
        self._under_way: dict[Future[Any], _Copy] = {}
        self._outcomes: list[Outcome] = []
        self._first_outcome = 0.0
        self._shut: dict[_Shut, str] = {}
        self._silent: set[RegistryError] = set()  # one may have ended several tags of an image
        self._again: list[Item] = []  # those that failed, and are tried once more when all others were
        self._deadly: set[int] = set()  # those that whoever tried them, more than once, did not live to end
        self._progress = Progress(0)
        self._listed: dict[str, frozenset[str]] = {}

    def carry_out(self) -> None:
        """Raises Paused, Away, Stopped and LeaseLost; whatever came to its end by then is written, if it may be."""
        waiting = deque(self._run.items.open().exclude(act=Item.Act.DELETE).side_by_side())
        self._progress = Progress(len(waiting))
        self._deadly = {item.pk for item in waiting if item.tries > 1}
        if waiting and self._run.quota_left is not None:
            ask_for_quota(self._source, waiting[0])
        try:
            while waiting or self._under_way or self._again:
                self._begin(waiting)
                self._collect()
                self._write()
                self._tell()
        finally:
            self._engine.close()
            self._gather()
            self._settle()

    def _tell(self) -> None:
        self._lease.tell(
            **self._progress.told((str(copy.item.tag or copy.item.digest), copy.meter) for copy in self._copies())
        )

    def _copies(self) -> list[_Copy]:
        return list(self._under_way.values())

    def _begin(self, waiting: deque[Item]) -> None:
        """What was begun twice and never ended goes alone: if that is what kills us, nothing else is to blame."""
        if not waiting and not self._under_way:
            waiting.extend(self._again)
            self._again.clear()
        if not waiting:
            return
        if pause := self._why_not_now():
            if not self._under_way:
                raise pause
            return
        if (room := room_for(_AHEAD, len(self._under_way), self._run.source, self._source)) <= 0:
            return
        if waiting[0].pk in self._deadly:
            if self._under_way:
                return
            room = 1
        batch: list[Item] = []
        while waiting and len(batch) < room and (not batch or waiting[0].pk not in self._deadly):
            batch.append(waiting.popleft())
        for item in self._intended(batch):
            self._place(item, self._engine.meter())

    def _place(self, item: Item, meter: Meter) -> None:
        try:
            copy = _Copy(item, self._errand(item), meter)
        except RegistryError as error:
            self._fail(item, meter, error)
        else:
            self._under_way[self._engine.place(copy.errand, meter)] = copy

    def _why_not_now(self) -> Paused | None:
        return why_not_now(self._run.source, self._source, self._terms.schedule, self._closes_at)

    def _intended(self, batch: Sequence[Item]) -> list[Item]:
        """Those that may be begun, committed as begun; the others get their outcomes."""
        self._shield.look()
        ready = [item for item in batch if not self._refused(item)]
        with self._lease.writing():
            mine = hold(self._run, ready)
            begun = [item for item in ready if item.pk in mine]
            Item.objects.filter(pk__in=[item.pk for item in begun]).update(state=Item.State.BEGUN, tries=F("tries") + 1)
            set_out_for(self._run.target, (tag for item in begun for tag in item.puts))
        for item in ready:
            if item.pk in mine:
                item.tries += 1
            else:
                self._end(Outcome(item, Item.State.SKIPPED, _HELD))
        return [item for item in ready if item.pk in mine]

    def _refused(self, item: Item) -> bool:
        shut = self._shut.get(_Shut(Side.SOURCE, item.source_repository)) or self._shut.get(
            _Shut(Side.TARGET, item.repository)
        )
        if shut:
            self._end(Outcome(item, Item.State.FAILED, shut))
        elif item.tries >= TRIES:
            self._end(Outcome(item, Item.State.PARKED, item.note or _DEADLY % {"n": item.tries}))
        elif item.moves and (reason := self._shield.reason(item.repository, item.tag)):
            self._end(Outcome(item, Item.State.SKIPPED, reason))
        else:
            return False
        return True

    def _errand(self, item: Item) -> Errand:
        return Errand(
            parse_repository(item.source_repository),
            Digest.parse(item.digest),
            parse_repository(item.repository),
            parse_tag(item.tag) if item.tag else None,
            self._terms.selection,
            self._wanted(item.source_repository),
            Digest.parse(item.before) if item.before else None,
            parse_tag(item.backup) if item.backup else None,
            is_deep=self._run.is_deep,
            is_there=item.act == Item.Act.KEEP,
        )

    def _wanted(self, repository: str) -> Wanted | None:
        """What is attached is looked for by tags that were listed once, and not by asking for each."""
        if not self._terms.attached:
            return None
        if repository not in self._listed:
            try:
                with at(Side.SOURCE):
                    pages = self._source.tags(parse_repository(repository))
                    self._listed[repository] = frozenset(str(tag) for page in pages for tag in page.names)
            except NotFound:
                self._listed[repository] = frozenset()
        return Wanted(self._terms.attached, self._listed[repository])

    def _collect(self) -> None:
        if not self._under_way:
            return
        done, _ = wait(self._under_way, timeout=_LOOK, return_when=FIRST_COMPLETED)
        for future in done:
            copy = self._under_way.pop(future)
            try:
                answer = future.result()
            except RegistryError as error:
                self._fail(copy.item, copy.meter, error)
            except TagMoved:
                self._end(Outcome(copy.item, Item.State.SKIPPED, _MOVED))
            except BackupHeld:
                self._end(Outcome(copy.item, Item.State.SKIPPED, _BACKUP_HELD % {"tag": copy.item.backup}))
            except Ended:
                pass
            except DatabaseFault:
                raise
            except Exception as error:
                log.exception("item %s could not be copied", copy.item)
                sentence = _MISTAKE % {"fault": type(error).__name__}
                self._end(Outcome(copy.item, Item.State.FAILED, sentence, sent=copy.meter.moved), copy.meter)
            else:
                self._came(copy, answer)

    def _came(self, copy: _Copy, answer: object) -> None:
        """All but the tag is there, and the tag is put now; or it was put."""
        if isinstance(answer, Placed):
            copy.placed, item = answer, copy.item
            if item.tag:
                self._tell()  # the tag is put only by whoever still has the right to
                self._shield.look()
                moves = item.before not in {"", str(answer.digest)}
                if moves and (reason := self._shield.reason(item.repository, item.tag)):
                    self._end(Outcome(item, Item.State.SKIPPED, reason, sent=copy.meter.moved), copy.meter)
                    return
                self._under_way[self._engine.point(copy.errand, answer)] = copy
                return
        assert copy.placed is not None  # noqa: S101  a tag is put after all else
        self._silent.clear()
        self._end(Outcome.of(copy.item, copy.placed, copy.meter.moved), copy.meter)

    def _gather(self) -> None:
        """What came to its end while the engine was closed; a tag that was put is told of, whatever ended the run."""
        for future, copy in self._under_way.items():
            is_over = future.done() and not future.cancelled() and future.exception() is None
            if is_over and copy.placed is not None:
                self._end(Outcome.of(copy.item, copy.placed, copy.meter.moved), copy.meter)
        self._under_way.clear()

    def _fail(self, item: Item, meter: Meter, error: RegistryError) -> None:
        fault = fault_of(error, self._terms.selection)
        if fault.reach is Reach.REGISTRY:
            raise Paused(fault.wait, fault.sentence)
        if fault.reach is Reach.REPOSITORY:
            repository = item.source_repository if fault.side is Side.SOURCE else item.repository
            self._shut[_Shut(fault.side, repository)] = fault.sentence
        if fault.again and item.tries < TRIES:
            item.state, item.note = Item.State.PLANNED, fault.sentence
            self._again.append(item)
        else:
            state = Item.State.PARKED if fault.again else Item.State.FAILED
            self._end(Outcome(item, state, fault.sentence, sent=meter.moved), meter)
        if fault.reach is Reach.AWAY:
            self._silent.add(error)
            if len(self._silent) >= _AWAY:
                raise Away(fault.sentence)

    def _end(self, outcome: Outcome, meter: Meter | None = None) -> None:
        if not self._outcomes:
            self._first_outcome = time.monotonic()
        self._outcomes.append(outcome)
        self._progress.end(meter)

    def _write(self) -> None:
        if len(self._outcomes) >= _TOGETHER or (self._outcomes and time.monotonic() - self._first_outcome > _SOON):
            self._settle()

    def _settle(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        if outcomes:
            with self._lease.writing():
                settle(self._run, self._terms, outcomes, timezone.now())
