"""Writing the plan of a run: what stays in each repository and why, what goes, and what that frees."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from django.utils import timezone

from catalog.models import Repository
from catalog.recording.chunks import by_number
from catalog.rows import insert
from cleanup.models import RetentionRun, RunRepository, RunTag
from cleanup.retention.freeing import Freeing
from cleanup.retention.reading import Book, Decides
from cleanup.retention.reasons import Reason, Verdict
from cleanup.retention.trust import why_left_out
from jobs.running import Lease

_SHARE: Final = 5  # one in so many may go without a yes
_FEW: Final = 1  # and so many may whatever their share is
_TOGETHER: Final = 500
_FLUENT: Final = 3  # of zlib: a plan is read seldom
_STATE: Final = RunRepository.State
_COLUMNS: Final = ("run_id", "place_id", "tag", "digest", "rule", "state", "note")


class Judged(NamedTuple):
    """A repository on which a policy decides; `why_not`: why it is left out, without verdicts, or ""."""

    repository: Repository
    decides: Decides
    verdicts: Sequence[Verdict] = ()
    why_not: str = ""

    @property
    def doomed(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.is_doomed]


def judged(book: Book, repository: Repository) -> Judged | None:
    """As it is now; None where no policy decides. A plan is made by this, and looked at once more when it is done."""
    decides = book.decides(repository.name)
    if decides is None:
        return None
    if why_not := why_left_out(repository):
        return Judged(repository, decides, why_not=why_not)
    return Judged(repository, decides, book.verdicts(repository, decides.terms))


class Planning:
    def __init__(self, run: RetentionRun, lease: Lease, book: Book) -> None:
        self._run, self._lease, self._book = run, lease, book
        self._freeing = Freeing(run.registry)
        self._sums = {"repositories": 0, "left_out": 0, "kept": 0, "doomed": 0}

    def write(self) -> None:
        """What a former attempt has written of it goes first. Until the last statement there is no plan."""
        self._forget()
        rows = Repository.objects.live().filter(registry=self._run.registry)
        keys = list(rows.order_by("name").values_list("pk", flat=True))
        for done, some in enumerate(by_number(keys, _TOGETHER)):
            found = rows.in_bulk(some)
            for place, key in enumerate(some):
                self._lease.tell(phase="judging", repositories=[done * _TOGETHER + place, len(keys)])
                if (one := found.get(key)) and (result := judged(self._book, one)) is not None:
                    self._write(result)
        freed = self._freeing.total()
        with self._lease.writing():
            RetentionRun.objects.filter(pk=self._run.pk).update(
                **self._sums,
                frees=freed.size,
                frees_is_exact=freed.is_exact,
                state=RetentionRun.State.PLANNED,
                planned_at=timezone.now(),
            )

    def _forget(self) -> None:
        for rows in (RunTag.objects.filter(run=self._run), RunRepository.objects.filter(run=self._run)):
            while some := list(rows.values_list("pk", flat=True)[:_TOGETHER]):
                with self._lease.writing():
                    rows.filter(pk__in=some).delete()

    def _write(self, result: Judged) -> None:
        doomed = result.doomed
        kept = len(result.verdicts) - len(doomed)
        place = RunRepository(
            run=self._run,
            repository=result.repository,
            name=result.repository.name,
            policy=result.decides.policy.name,
            kept=kept,
            doomed=len(doomed),
            kept_tags=packed(result.verdicts),
            needs_yes=needs_yes(result.verdicts),
            frees=self._freeing.lose(result.repository, [verdict.digest for verdict in doomed]) if doomed else 0,
            state=_STATE.LEFT_OUT if result.why_not else _STATE.PLANNED if doomed else _STATE.DONE,
            note=result.why_not,
        )
        with self._lease.writing():
            place.save(force_insert=True)
        rows = sorted((v.tag, v.digest, v.reason.rule) for v in doomed)
        for some in by_number(rows, _TOGETHER):
            with self._lease.writing():
                state = RunTag.State.PLANNED.value
                insert(RunTag, _COLUMNS, [(self._run.pk, place.pk, *row, state, "") for row in some])
        self._sums["left_out" if result.why_not else "repositories"] += 1
        self._sums["kept"] += kept
        self._sums["doomed"] += len(doomed)


def needs_yes(verdicts: Sequence[Verdict]) -> bool:
    """Whether a person has to agree: more than a fifth would go, and more than one, or nothing would be left."""
    doomed = sum(verdict.is_doomed for verdict in verdicts)
    if not doomed:
        return False
    stays = any(verdict.digest and not verdict.is_doomed for verdict in verdicts)
    return not stays or doomed > max(_FEW, len(verdicts) // _SHARE)


def packed(verdicts: Iterable[Verdict]) -> bytes:
    """What is kept, by its first reason, as `RunRepository.reasons` reads it."""
    groups: defaultdict[Reason, list[str]] = defaultdict(list)
    for verdict in verdicts:
        if not verdict.is_doomed:
            groups[verdict.reason].append(verdict.tag)
    if not groups:
        return b""
    said = [{**reason._asdict(), "tags": sorted(tags)} for reason, tags in sorted(groups.items())]
    return zlib.compress(json.dumps(said, separators=(",", ":")).encode(), _FLUENT)
