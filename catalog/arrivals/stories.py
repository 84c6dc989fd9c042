"""What became of a tag, from one event to the next: what each replaced, and whether it changed anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from audit.models import Entry
from audit.reads.conditions import Condition
from catalog.arrivals.reading import Found
from catalog.arrivals.told import Told, is_ahead
from catalog.models import Presence, Tag, TagSpan

_ACT: Final = Entry.Act
_LATEST: Final = 8  # entries of a tag among which the last may be that happened
_LATELY: Final = timedelta(minutes=10)  # an entry has about the date at which it is written: lists rest on that


class Stories:
    """Of the tags of one repository, in one batch; asked before the catalog is written."""

    def __init__(self, found: Found, digests: Collection[str]) -> None:
        self._known: Mapping[str, str] = {str(name): known.digest for name, known in found.known.items()}
        self._repository = found.repository
        self._now: dict[str, str] = {}  # what each tag points to, by the events so far
        self._here = self._present(digests)

    def _present(self, digests: Collection[str]) -> set[str]:
        """Those of `digests` that were in the repository before."""
        if self._repository is None:
            return set()
        rows = Presence.objects.present().filter(repository=self._repository, manifest__digest__in=digests)
        return set(rows.values_list("manifest__digest", flat=True))

    def push(self, told: Told, at: datetime) -> Entry:
        newest = self._newest(told)
        is_late = newest is not None and _is_late(told, newest)
        if newest is not None and (is_late or _is_found_already(told, newest)):
            before = newest.digest_before
        elif self._was_seen_before(told, newest):
            before, at = self._explain(told, newest, at)
        else:
            before = self._before(told, newest)
        if not is_late:
            self._now[told.tag] = told.digest
        act = self._act(told, before)
        self._here.add(told.digest)
        return told.entry(act, at, digest_before=before)

    def delete(self, told: Told, at: datetime) -> Entry:
        newest = self._newest(told)
        if newest is not None and _is_late(told, newest):
            return told.entry(_ACT.DELETE_TAG, at, digest_before=newest.digest_before, digest_after="")
        before = self._before(told, newest)
        self._now[told.tag] = ""
        return told.entry(_ACT.DELETE_TAG, at, digest_before=before, digest_after="")

    def _act(self, told: Told, before: str) -> Entry.Act:
        if before:
            return _ACT.PUSH_AGAIN if before == told.digest else _ACT.MOVE
        return _ACT.RETAG if told.digest in self._here or self._was_told_of(told) else _ACT.PUSH

    def _was_told_of(self, told: Told) -> bool:
        """Whether it was pushed under another tag, which has moved on by now."""
        entries = Entry.objects.filter(digest_after=told.digest).exclude(act=_ACT.PULL)
        # It is soon found among those of the digest; without statistics SQLite would read all of the repository.
        where = Condition(Q(registry_id=told.registry_id, repository=told.repository), "repository")
        return where.beside(entries).exists()

    def _before(self, told: Told, newest: Entry | None) -> str:
        """What was recorded last counts: the catalog may have read by now what a later event is going to tell."""
        if told.tag in self._now:
            return self._now[told.tag]
        return newest.digest_after if newest is not None else self._known.get(told.tag, "")

    def _was_seen_before(self, told: Told, newest: Entry | None) -> bool:
        """Whether the tag was read when it pointed there already, and nothing recorded says how it got there."""
        if told.tag in self._now or self._known.get(told.tag) != told.digest:
            return False
        return newest is None or newest.digest_after != told.digest

    def _newest(self, told: Told) -> Entry | None:
        """The last that happened to what the tag points to, of what was recorded."""
        entries = Entry.objects.of_tag(told.registry_id, told.repository, told.tag)
        telling = entries.but_pulls().filter(outcome=Entry.Outcome.DONE).exclude(act__in=(_ACT.PROTECT, _ACT.UNPROTECT))
        return _last(telling.newest_first()[:_LATEST])

    def _explain(self, told: Told, newest: Entry | None, at: datetime) -> tuple[str, datetime]:
        """What the tag pointed to before, and since when, where a scan saw it first and nothing has told so yet."""
        tag = Tag.objects.filter(repository=self._repository, name=told.tag).first()
        if tag is None:
            return "", at
        spans = list(TagSpan.objects.filter(tag=tag).select_related("manifest").order_by("-began", "-id")[:2])
        if not spans:
            return "", at
        earlier = spans[1] if len(spans) > 1 and spans[1].ended == spans[0].began else None
        before = newest.digest_after if newest is not None else earlier.manifest.digest if earlier else ""
        # Of what was there when Berth first looked, nobody knows what it was before: it was pushed once more now.
        is_old = newest is None and earlier is None and told.moment > spans[0].began
        if is_old:
            return told.digest, at
        return before, spans[0].began if at - spans[0].began < _LATELY else at


def _is_late(told: Told, newest: Entry) -> bool:
    """Whether something later has been told before."""
    return newest.source == Entry.Source.EVENT and _is_earlier(
        told.event.at, told.received_at, newest.claimed_at, newest.at
    )


def _last(recorded: Iterable[Entry]) -> Entry | None:
    """Of entries of a tag, the newest first, the last that happened: what was told last may have been told late."""
    last = None
    for entry in recorded:
        if last is None:
            last = entry
        elif not entry.source == last.source == Entry.Source.EVENT:
            break  # there is no claim to compare with
        elif _is_earlier(last.claimed_at, last.at, entry.claimed_at, entry.at):
            last = entry
    return last


def _is_earlier(claimed: datetime | None, known: datetime, other: datetime | None, other_known: datetime) -> bool:
    """By the registry's own clock, however wrong that is. Each is known of since a moment of ours."""
    if claimed is None or other is None:
        return False
    if is_ahead(claimed, known) != is_ahead(other, other_known):
        return False  # the clock was set in between
    return claimed < other


def _is_found_already(told: Told, newest: Entry) -> bool:
    """Whether a scan has found what is told now, so late that it was recorded as a change of which nobody knew."""
    return newest.act == _ACT.CHANGE and newest.digest_after == told.digest and told.moment <= newest.at
