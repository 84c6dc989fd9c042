"""Writing what a check found: a repository at a time, with how far it is, in one transaction of its job."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from cleanup.halting import halt
from cleanup.models import Check, CheckFinding
from cleanup.verifying.faults import Fault
from cleanup.verifying.images import Seen, Tally
from cleanup.verifying.judging import Known, known_of
from jobs.running import Lease
from oci.names import TagName

MOST_KEPT: Final = 20_000  # findings of a check: more are counted, and not told one by one
_TOGETHER: Final = 500
_MISMATCH: Final = gettext_noop("Check %(n)s found %(image)s broken, which nobody knew: %(why)s.")
SENTENCES: Final = (_MISMATCH,)
_FIGURES: Final = ("reached", "repositories", "tags", "manifests", "blobs", "size", "broken", "new", "unasked")


class Recording:
    """Of one check, in the thread of its job."""

    def __init__(self, lease: Lease, check: Check, tally: Tally) -> None:
        self._lease, self._check, self._tally = lease, check, tally

    def record(self, repository: str, seen: Mapping[TagName, Seen], listed: Collection[TagName]) -> None:
        """What the tags that were looked at came to; `listed` are all that the repository has.

        What is broken and new stops sweeps in the same transaction, so that no check dies between the two.
        """
        check = self._check
        broken = [tag for tag, one in seen.items() if one.is_broken]
        known = known_of(check, repository, broken)
        new = {tag: fault for tag in broken if (fault := _unknown(seen[tag], tag, known)) is not None}
        rows = [
            _row(check, repository, tag, one.digest, fault, is_new=tag in new, known=known)
            for tag, one in seen.items()
            for fault in one.faults
        ]
        room = max(0, MOST_KEPT - check.broken - check.unasked)
        with self._lease.writing():
            _close(check, repository, seen, listed)
            CheckFinding.objects.bulk_create(rows[:room], batch_size=50)
            if new and not check.new:
                tag, fault = next(iter(new.items()))
                image = {"image": f"{repository}:{tag}", "why": fault.sentence.rstrip(".")}
                halt(check.registry, _MISMATCH % {"n": check.pk, **image})
            check.tags += len(seen)
            check.broken += len(broken)
            check.new += len(new)
            check.unasked += sum(bool(one.faults) and not one.is_broken for one in seen.values())
            self._pass(repository)

    def record_unasked(self, repository: str, fault: Fault) -> None:
        """A repository whose tags could not be listed: nothing is known of it, and what was known stays."""
        check = self._check
        with self._lease.writing():
            here = CheckFinding.objects.open().filter(registry=check.registry, repository=repository, tag="")
            here.exclude(found_by=check).update(is_open=False)
            _row(check, repository, "", "", fault).save(force_insert=True)
            check.unasked += 1
            self._pass(repository)

    def close_gone(self, repositories: Collection[str]) -> None:
        """What was wrong in repositories that are not there any more."""
        there = set(repositories)
        rows = CheckFinding.objects.open().filter(registry=self._check.registry)
        gone = [name for name in rows.values_list("repository", flat=True).distinct() if name not in there]
        for start in range(0, len(gone), _TOGETHER):
            with self._lease.writing():
                rows.filter(repository__in=gone[start : start + _TOGETHER]).update(is_open=False)

    def _pass(self, repository: str) -> None:
        check = self._check
        check.reached = repository
        check.repositories += 1
        check.manifests, check.blobs, check.size = self._tally.figures
        check.save(update_fields=_FIGURES)


def _unknown(one: Seen, tag: str, known: Known) -> Fault | None:
    """The first fault of a tag that nobody knew."""
    return next((fault for fault in one.faults if fault.is_broken and not known.has(tag, fault)), None)


def _close(check: Check, repository: str, seen: Mapping[TagName, Seen], listed: Collection[TagName]) -> None:
    """What earlier checks said of tags that were looked at now, or went. One that was not answered stays broken."""
    rows = CheckFinding.objects.open().filter(registry=check.registry, repository=repository).exclude(found_by=check)
    there: set[str] = set(listed)
    by_name = {str(tag): one for tag, one in seen.items()}
    closed = []
    for pk, tag, code in rows.values_list("pk", "tag", "code"):
        one = by_name.get(tag)
        is_answered = one is not None and (one.is_broken or not one.faults or code == CheckFinding.Code.UNASKED)
        if is_answered or tag not in there:
            closed.append(pk)
    for start in range(0, len(closed), _TOGETHER):
        rows.filter(pk__in=closed[start : start + _TOGETHER]).update(is_open=False)


def _row(  # noqa: PLR0913  each is a part of the row
    check: Check,
    repository: str,
    tag: str,
    digest: str,
    fault: Fault,
    *,
    is_new: bool = False,
    known: Known | None = None,
) -> CheckFinding:
    now = timezone.now()
    return CheckFinding(
        found_by=check,
        registry=check.registry,
        repository=repository,
        tag=tag,
        digest=digest,
        part=fault.part,
        code=fault.code,
        sentence=fault.sentence,
        is_new=is_new and fault.is_broken,
        first_seen=known.first_seen(tag, fault, now) if known else now,
    )
