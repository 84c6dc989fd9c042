"""The terms of a rule as a row keeps them: all of `Details` that no column of its own has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from jobs.schedule import Schedule, When
from oci.media_types import Kind
from oci.transfer.attached import ALL_KINDS
from oci.transfer.selection import Form, Selection
from sync.choosing import Choice, NewestBy
from sync.details import Details, Moved


class InvalidTerms(ValueError):  # noqa: N818  it says what cannot be read
    """The row holds what this Berth does not understand."""


@dataclass(frozen=True, slots=True)
class Terms:
    """As `Details` has them."""

    repositories: tuple[str, ...]
    into: str = "{repository}"
    choice: Choice = field(default_factory=Choice)
    pins: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    attached: frozenset[Kind] = ALL_KINDS
    moved: Moved = Moved.OVERWRITE
    backup: str = "{tag}-before-{date}-{time}"
    deletes_gone: bool = False
    schedule: Schedule = field(default_factory=Schedule)
    bytes_per_second: int | None = None

    @classmethod
    def of(cls, details: Details) -> Self:
        return cls(**{name: getattr(details, name) for name in cls.__slots__})

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Raises InvalidTerms."""
        try:
            choice, selection, schedule = (dict(document[name]) for name in ("choice", "selection", "schedule"))
            choice |= {name: tuple(choice[name]) for name in ("allow", "deny", "ranges")}
            choice["newest_by"] = NewestBy(choice["newest_by"])
            selection |= {"platforms": tuple(selection["platforms"]), "form": Form(selection["form"])}
            schedule["when"] = When(schedule["when"])
            terms = cls(
                **{
                    **document,
                    "repositories": tuple(document["repositories"]),
                    "pins": tuple(document["pins"]),
                    "attached": frozenset(document["attached"]),
                    "choice": Choice(**choice),
                    "selection": Selection(**selection),
                    "schedule": Schedule(**schedule),
                    "moved": Moved(document["moved"]),
                }
            )
            terms._check_kinds()
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidTerms(str(error)) from error
        return terms

    def written(self) -> dict[str, Any]:
        """What `read` understands, of nothing but JSON's own kinds."""
        return asdict(self) | {"attached": sorted(self.attached)}

    def of_rule(self, name: str, source: str, target: str, *, is_on: bool = True) -> Details:
        values = {field_name: getattr(self, field_name) for field_name in self.__slots__}
        return Details(name=name, source=source, target=target, is_on=is_on, **values)

    def _check_kinds(self) -> None:
        """Raises TypeError and ValueError."""
        choice, schedule, selection = self.choice, self.schedule, self.selection
        texts = (*self.repositories, *self.pins, *choice.allow, *choice.deny, *choice.ranges, *selection.platforms)
        for text in (*texts, self.into, self.backup, schedule.cron, schedule.zone, schedule.window):
            if not isinstance(text, str):
                raise TypeError(f"no text: {text!r}")
        for number in (choice.newest, self.bytes_per_second, schedule.every):
            if not isinstance(number, int | None):
                raise TypeError(f"no number: {number!r}")
        if strange := self.attached - ALL_KINDS:
            raise ValueError(f"no kinds of what is attached: {strange}")
