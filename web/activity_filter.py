"""The filter of the activity, as an address says it and as its form shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from audit.models import Entry
from audit.reads.filters import GROUPS, EntryFilter, known_act, moment_in
from audit.reads.patterns import Starred
from registries.models import Registry
from web.context import active_registries
from web.narrowing import Option
from web.templatetags.berth import short
from web.typed import chosen, typed

# Offered in this order; any other act can be asked for by its own name.
_ACTS: Final = {
    "pushes": gettext_lazy("Pushes"),
    "pull": gettext_lazy("Pulls"),
    "moves": gettext_lazy("Tags moved"),
    "deletes": gettext_lazy("Deletes"),
    "mount": gettext_lazy("Layers mounted"),
    "sync": gettext_lazy("Copied in by sync"),
    "change": gettext_lazy("Changes that no event told"),
    "gap": gettext_lazy("Gaps in the events"),
    "breaches": gettext_lazy("Breaches of protection"),
}
_SOURCES: Final = {
    Entry.Source.BERTH: gettext_lazy("Through Berth"),
    Entry.Source.EVENT: gettext_lazy("Told by registries"),
    Entry.Source.SCAN: gettext_lazy("Found by scans"),
}
_TEXTS: Final = {
    "registry": gettext_lazy("Registry"),
    "repository": gettext_lazy("Repository"),
    "tag": gettext_lazy("Tag"),
    "digest": gettext_lazy("Digest"),
    "actor": gettext_lazy("Who"),
    "address": gettext_lazy("Address"),
    "from": gettext_lazy("From"),
    "to": gettext_lazy("Until"),
}
_OF_PERSONS: Final = frozenset({"actor", "address"})  # for whoever has signed in


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that the list is narrowed to, and the address of the list without it."""

    name: str
    value: str
    without: str


class ActivityFilter:
    """`asked` is what the database is asked for, `texts` what the fields of the form say.

    `problems` are sentences: what of it could not be understood, and was left out.
    """

    def __init__(self, request: HttpRequest, *, is_for_few: bool = False) -> None:
        """`is_for_few`: of entries that are looked at one by one, the name of their registry says enough."""
        self._request = request
        names = [name for name in _TEXTS if name not in _OF_PERSONS or request.user.is_authenticated]
        self.texts = {name: text for name in names if (text := typed(request, name))}
        times = {name: _moment(self.texts.get(name, ""), ends=name == "to") for name in ("from", "to")}
        self.problems = list(_problems(self.texts, times))
        for name, moment in times.items():
            if moment is None:
                self.texts.pop(name, None)
        self.act, registry = known_act(typed(request, "act")), self.texts.get("registry", "")
        self.outcome = chosen(request, "outcome", tuple(Entry.Outcome.values))
        self.source = chosen(request, "source", tuple(Entry.Source.values))
        plain = {name: self.texts.get(name, "") for name in ("repository", "tag", "digest", "actor", "address")}
        self.asked = EntryFilter(
            act=self.act,
            outcome=self.outcome,
            source=self.source,
            registry=registry,
            registry_id=None if is_for_few else _registry_id(request, registry),
            since=times["from"],
            until=times["to"],
            **plain,
        )

    @property
    def any(self) -> bool:
        return bool(self.act or self.outcome or self.source or self.texts)

    @property
    def has_more(self) -> bool:
        """Something is asked for in the part of the form that is folded."""
        return bool(self.outcome or self.source or self.texts.keys() & {"digest", "actor", "address", "from", "to"})

    @property
    def acts(self) -> list[Option]:
        offered = {**_ACTS, **({} if self.act in _ACTS or not self.act else {self.act: _name_of(self.act)})}
        return [Option(value, str(name), None, value == self.act) for value, name in offered.items()]

    @property
    def outcomes(self) -> list[Option]:
        return [Option(value, str(name), None, value == self.outcome) for value, name in Entry.Outcome.choices]

    @property
    def sources(self) -> list[Option]:
        return [Option(value, str(name), None, value == self.source) for value, name in _SOURCES.items()]

    @property
    def registries(self) -> list[Option]:
        """Nothing where there is no choice."""
        here = self.texts.get("registry", "")
        names = list(
            dict.fromkeys([*(row.name for row in active_registries(self._request)), *([here] if here else [])])
        )
        return [Option(name, name, None, name == here) for name in names] if len(names) > 1 or here else []

    @property
    def chips(self) -> list[Chip]:
        return [Chip(str(name), value, self._without(parameter)) for parameter, name, value in self._said()]

    @property
    def query(self) -> str:
        """What the address says of the filter, and nothing else."""
        return self._query(without="")

    @property
    def address(self) -> str:
        """Of the list that it leaves, to come back to and to hand on."""
        return self._without("")

    def _said(self) -> Iterator[tuple[str, str, str]]:
        if self.act:
            yield "act", gettext("Act"), str(_ACTS.get(self.act) or _name_of(self.act))
        for parameter, text in self.texts.items():
            yield parameter, str(_TEXTS[parameter]), (short(text) or text) if parameter == "digest" else text
        if self.outcome:
            yield "outcome", gettext("Outcome"), str(Entry.Outcome(self.outcome).label)
        if self.source:
            yield "source", gettext("Source"), str(_SOURCES[Entry.Source(self.source)])

    def _without(self, parameter: str) -> str:
        query = self._query(parameter)
        return f"{self._request.path}?{query}" if query else self._request.path

    def _query(self, without: str) -> str:
        said = {**self.texts, "act": self.act, "outcome": self.outcome, "source": self.source}
        return urlencode({name: value for name, value in said.items() if value and name != without})


def _problems(texts: Mapping[str, str], times: Mapping[str, datetime | None]) -> Iterator[str]:
    for name, moment in times.items():
        if name in texts and moment is None:
            told = gettext("“%(text)s” is no day and no moment, as 2026-11-27 is one: it is left out.")
            yield told % {"text": texts[name]}
    if (pattern := Starred.parse(texts.get("repository", ""))) and not pattern.text:
        yield gettext("No name fits that pattern: it may have small letters, digits, . _ - / and up to four *.")


def _name_of(act: str) -> str:
    return "" if act in GROUPS else str(Entry.Act(act).label)


def _moment(text: str, *, ends: bool) -> datetime | None:
    try:
        return moment_in(text, ends=ends)
    except ValueError:
        return None


def _registry_id(request: HttpRequest, name: str) -> int | None:
    """Of a registry that is known: the active ones every page has, others are asked for."""
    if not name:
        return None
    here = next((row.pk for row in active_registries(request) if row.name == name), None)
    return here or Registry.objects.filter(name=name).values_list("pk", flat=True).first()
