"""The terms of a policy: what a person may say of it, and how its row keeps that. Read strictly: nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, Self, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cleanup.retention.patterns import is_pattern
from jobs.schedule import InvalidSchedule, Schedule, When

MOST_RULES: Final = 50
MOST_PATTERNS: Final = 500
MOST_KEPT: Final = 1_000_000  # tags, images or versions
MOST_DAYS: Final = 36_500

_SCHEDULE: Final = {
    "cron": gettext_lazy("A cron line has five fields, as in 30 4 * * 1-5, and is due every five minutes at most."),
    "every": gettext_lazy("Every five minutes at most, and once a year at least."),
    "zone": gettext_lazy("This machine knows no such time zone."),
    "window": gettext_lazy("Hours are written as in 22:00-06:00."),
}


class Aliases(StrEnum):
    """What becomes of the other tags of a digest that a kept tag points to."""

    KEPT = "kept"  # they stay too, and numbers count images
    JUDGED = "judged"  # each for itself, and numbers count tags


class Line(StrEnum):
    """The versions that compete with each other."""

    ALL = "all"
    MAJOR = "major"  # all of 1
    MINOR = "minor"  # all of 1.4


class InvalidTerms(ValueError):  # noqa: N818  it says what cannot be read
    """`sentence` says what is wrong with `field`, a way like "rules[0].newest"."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}")
        self.field, self.sentence = place, sentence


@dataclass(frozen=True, slots=True)
class Rule:
    """What it keeps of the tags that it speaks of: whatever one of its conditions keeps. Without any, nothing.

    `newest` is by push, `newest_versions` in each `line`; the others are days.
    """

    tags: tuple[str, ...]
    newest: int | None = None
    newest_versions: int | None = None
    line: Line = Line.ALL
    younger_than: int | None = None
    pulled_within: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Which repositories, which of their tags, and when.

    `may_empty`: a repository may lose its last tag. `uses_created`: where no push is known, when an image says that it
    was made counts as that.
    """

    repositories: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    aliases: Aliases = Aliases.KEPT
    may_empty: bool = False
    uses_created: bool = False
    schedule: Schedule = field(default_factory=Schedule)

    @classmethod
    def read(cls, document: object) -> Self:
        """Raises InvalidTerms."""
        said = _Part(document, "", _names(cls))
        return cls(
            repositories=said.patterns("repositories"),
            rules=tuple(map(_rule, said.parts("rules", MOST_RULES, _names(Rule)))),
            aliases=said.one_of("aliases", Aliases.KEPT),
            may_empty=said.switch("may_empty"),
            uses_created=said.switch("uses_created"),
            schedule=_schedule(said.part("schedule", _names(Schedule))),
        )

    def written(self) -> dict[str, Any]:
        """What `read` understands, of nothing but JSON's own kinds."""
        said = asdict(self)
        said["repositories"] = list(self.repositories)
        said["rules"] = [{**rule, "tags": list(rule["tags"])} for rule in said["rules"]]
        return said


_T = TypeVar("_T", bound=StrEnum)


class _Part:
    """An object of the document, at `place`; each method takes one of its fields, or raises InvalidTerms."""

    def __init__(self, said: object, place: str, names: Sequence[str]) -> None:
        self._place = place
        if not isinstance(said, Mapping):
            raise InvalidTerms(place or "terms", _("It has to be an object."))
        self._said = said
        for name in said:
            if name not in names:
                raise InvalidTerms(self.at(str(name)[:60]), _("Nothing of that name can be said here."))

    def at(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name

    def patterns(self, name: str) -> tuple[str, ...]:
        said = self._list(name, MOST_PATTERNS)
        if not said:
            raise InvalidTerms(self.at(name), _("Name one pattern at least."))
        for text in said:
            if not isinstance(text, str) or not is_pattern(text):
                raise InvalidTerms(self.at(name), _("%(text)s is no pattern.") % {"text": str(text)[:100]})
        return tuple(map(str, said))

    def parts(self, name: str, most: int, names: Sequence[str]) -> list[_Part]:
        return [_Part(one, f"{self.at(name)}[{n}]", names) for n, one in enumerate(self._list(name, most))]

    def part(self, name: str, names: Sequence[str]) -> _Part:
        return _Part(self._said.get(name, {}), self.at(name), names)

    def one_of(self, name: str, default: _T) -> _T:
        said = self._said.get(name, default)
        try:
            return type(default)(said)
        except ValueError:
            raise InvalidTerms(self.at(name), _("It is one of %(words)s.") % {"words": _words(default)}) from None

    def switch(self, name: str) -> bool:
        said = self._said.get(name, False)
        if not isinstance(said, bool):
            raise InvalidTerms(self.at(name), _("It is true or false."))
        return said

    def number(self, name: str, most: int) -> int | None:
        said = self._said.get(name)
        if said is not None and (not isinstance(said, int) or isinstance(said, bool) or not 1 <= said <= most):
            raise InvalidTerms(self.at(name), _("It is a whole number from 1 to %(most)s.") % {"most": f"{most:,}"})
        return said

    def minutes(self, name: str) -> int:
        said = self._said.get(name, 0)
        if not isinstance(said, int) or isinstance(said, bool):
            raise InvalidTerms(self.at(name), str(_SCHEDULE["every"]))
        return said

    def text(self, name: str, default: str = "") -> str:
        said = self._said.get(name, default)
        if not isinstance(said, str):
            raise InvalidTerms(self.at(name), _("It has to be text."))
        return said

    def _list(self, name: str, most: int) -> Sequence[object]:
        said = self._said.get(name, ())
        if not isinstance(said, list | tuple):
            raise InvalidTerms(self.at(name), _("It has to be a list."))
        if len(said) > most:
            raise InvalidTerms(self.at(name), _("At most %(most)s of them.") % {"most": most})
        return said


def _rule(said: _Part) -> Rule:
    return Rule(
        tags=said.patterns("tags"),
        newest=said.number("newest", MOST_KEPT),
        newest_versions=said.number("newest_versions", MOST_KEPT),
        line=said.one_of("line", Line.ALL),
        younger_than=said.number("younger_than", MOST_DAYS),
        pulled_within=said.number("pulled_within", MOST_DAYS),
    )


def _schedule(said: _Part) -> Schedule:
    when = said.one_of("when", When.BY_HAND)
    if when is When.EVENT:
        raise InvalidTerms(said.at("when"), _("What is pushed is no reason to delete: retention is due by the clock."))
    schedule = Schedule(when, said.text("cron"), said.text("zone", "UTC"), said.minutes("every"), said.text("window"))
    try:
        schedule.check()
    except InvalidSchedule as error:
        raise InvalidTerms(said.at(error.field), str(_SCHEDULE[error.field])) from error
    return schedule


def _names(of: type[Any]) -> list[str]:
    return [one.name for one in fields(of)]


def _words(word: StrEnum) -> str:
    return ", ".join(type(word))
