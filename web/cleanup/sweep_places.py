"""The registries as the page of sweeps lists them: what was said of each, and why one cannot be swept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from cleanup.models import Halt, SweepTerms
from cleanup.sweeping.ground import of_the_embedded
from cleanup.sweeping.terms import lacks
from jobs.schedule import When
from registries.models import Registry
from web.cleanup.durations import in_words
from web.sync.words import schedule


@dataclass(frozen=True, slots=True)
class Place:
    """`halt`: what stops its sweeps, if anything does."""

    registry: Registry
    terms: SweepTerms
    halt: Halt | None

    @property
    def lacks(self) -> str:
        """What a person has to say or do first; nothing where a sweep can be tried."""
        return "" if self.halt else lacks(self.registry, self.terms)

    @property
    def may_begin(self) -> bool:
        return not self.halt and not self.lacks

    @property
    def needs_commands(self) -> bool:
        """There is no folder, so that the other way of sweeping is the one for it."""
        return not self.registry.storage

    @property
    def said(self) -> str:
        """What was said of it, in a few words."""
        if self.terms.processes == SweepTerms.Processes.UNSAID:
            return ""
        cache = {
            SweepTerms.Cache.UNSAID: "",
            SweepTerms.Cache.NONE: gettext("no cache"),
            SweepTerms.Cache.INMEMORY: gettext("cache in memory"),
            SweepTerms.Cache.REDIS: gettext("cache in Redis"),
        }[SweepTerms.Cache(self.terms.cache)]
        processes = self.terms.get_processes_display()
        return f"{processes}, {cache}" if cache else str(processes)

    @property
    def grace(self) -> str:
        return in_words(self.terms.grace_seconds)

    @property
    def hold(self) -> str:
        """Nothing where what goes is deleted at once."""
        return in_words(self.terms.hold_seconds) if self.terms.hold_seconds else ""

    @property
    def schedule(self) -> str:
        """Nothing where none begins it."""
        return "" if self.terms.when == When.BY_HAND else schedule(self.terms.schedule)


def places(registries: Sequence[Registry]) -> list[Place]:
    """In the order of the registries; two queries."""
    known = {terms.registry_id: terms for terms in SweepTerms.objects.filter(registry__in=registries)}
    halts = {halt.registry_id: halt for halt in Halt.objects.open().filter(registry__in=registries)}
    return [
        Place(row, of_the_embedded(row, known.get(row.pk) or SweepTerms(registry=row)), halts.get(row.pk))
        for row in registries
    ]
