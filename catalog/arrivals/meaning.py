"""From what is told of one repository to entries: one for each thing that somebody did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_noop

from audit.models import Entry
from catalog.arrivals import counting, families, waiting
from catalog.arrivals.kinds import Sort, sort_of
from catalog.arrivals.reading import Found
from catalog.arrivals.recent import Recent
from catalog.arrivals.stories import Stories
from catalog.arrivals.told import Told
from catalog.models import Blob, Manifest, Waiting

_UNKNOWN: Final = gettext_noop("Berth does not know whether it was an image or a layer.")
SENTENCES: Final = (_UNKNOWN,)


class Meaning:
    """Of one repository in one batch. Asked twice, in one transaction: before and after the catalog is written."""

    def __init__(self, found: Found, tolds: Sequence[Told], recent: Recent, now: datetime) -> None:
        self._found, self._recent, self._now = found, recent, now
        self._by_sort: dict[Sort, list[Told]] = {}
        for told in sorted(tolds, key=lambda told: told.order):
            self._by_sort.setdefault(sort_of(told), []).append(told)

    @property
    def pushes(self) -> dict[str, Told]:
        """By the digest of each image that was pushed under a tag, the last that is told of it."""
        return {told.digest: told for told in self._tagged()}

    def before(self) -> list[Entry]:
        """What happened to tags and digests, compared with what was known."""
        changing = [*self._of(Sort.PUSH), *self._of(Sort.DELETE)]
        stories = Stories(self._found, {told.digest for told in changing if told.digest})
        entries = []
        for told in sorted(changing, key=lambda told: told.order):
            if told.event.action == "delete":
                entries.append(stories.delete(told, self._now) if told.tag else self._delete_digest(told))
            elif told.tag:
                entries.append(stories.push(told, self._now))
        entries += [told.entry(Entry.Act.OTHER, self._now, detail=told.event.action) for told in self._of(Sort.OTHER)]
        return entries

    def after(self) -> list[Entry]:
        """What needs to know the catalog as it is now: what belongs to which index, and what is counted."""
        self._count_pushes()
        self._fold_pushes()
        waiting.go_on([told for told in self._of(Sort.BLOB) if told.event.action == "push"], self._now)
        for told in self._of(Sort.MOUNT):
            waiting.wait(Waiting.Kind.MOUNT, told, self._now)
        return self._pulls()

    def _of(self, sort: Sort) -> list[Told]:
        return self._by_sort.get(sort, [])

    def _tagged(self) -> list[Told]:
        return [told for told in self._of(Sort.PUSH) if told.tag]

    def _delete_digest(self, told: Told) -> Entry:
        """Which of the two it was, the registry does not tell."""
        said = {"digest_before": told.digest, "digest_after": ""}
        if Manifest.objects.filter(digest=told.digest).exists():
            return told.entry(Entry.Act.DELETE_MANIFEST, self._now, **said)
        if Blob.objects.filter(digest=told.digest).exists():
            return told.entry(Entry.Act.DELETE_BLOB, self._now, **said)
        return told.entry(Entry.Act.DELETE_MANIFEST, self._now, **said, detail=_UNKNOWN)

    def _count_pushes(self) -> None:
        if self._found.repository is not None:
            counting.count_pushes(self._found.repository, [(told.moment, 1) for told in self._tagged()])

    def _fold_pushes(self) -> None:
        """The children of an index were pushed before it; those that are told later are known to belong to it."""
        untagged = [told for told in self._of(Sort.PUSH) if not told.tag]
        for told in self._of(Sort.PUSH):
            if told.tag and told.event.is_of_index:
                self._recent.note(Sort.PUSH, told)
                waiting.fold(Waiting.Kind.PUSH, told, below := families.below(told.digest))
                untagged = [o for o in untagged if o.caller != told.caller or o.digest not in below]
        parents = families.parents_here(self._found.repository, {told.digest for told in untagged})
        for told in untagged:
            if not self._recent.has(Sort.PUSH, told, parents.get(told.digest, ())):
                waiting.wait(Waiting.Kind.PUSH, told, self._now)
        waiting.go_on(untagged, self._now)

    def _pulls(self) -> list[Entry]:
        pulls = self._of(Sort.PULL)
        indexes = [told for told in pulls if told.event.is_of_index]
        for told in indexes:
            self._recent.note(Sort.PULL, told)
            waiting.fold(Waiting.Kind.PULL, told, families.below(told.digest))
        untagged = {told.digest for told in pulls if not told.tag}
        parents = families.parents_here(self._found.repository, untagged)
        alone: list[Told] = []
        for told in pulls:
            if told.tag or told.digest not in parents:
                alone.append(told)
            elif not self._recent.has(Sort.PULL, told, parents[told.digest]):
                waiting.wait(Waiting.Kind.PULL, told, self._now)
        if self._found.repository is not None:
            counting.count(self._found.repository, [(told.digest, told.moment, 1) for told in alone])
        return [told.entry(Entry.Act.PULL, self._now, count=number) for told, number in _alike(alone)]


def _alike(tolds: Iterable[Told]) -> list[tuple[Told, int]]:
    """The first of those that one caller did to one thing, and how many they are."""
    alike: dict[tuple[str, str, str], list[Told]] = {}
    for told in tolds:
        alike.setdefault((told.caller, told.tag, told.digest), []).append(told)
    return [(group[0], len(group)) for group in alike.values()]
