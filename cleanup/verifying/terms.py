"""What a check is to look at, as the parameters of its job keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

MOST_SAMPLED: Final = 10_000  # tags of each repository: more is all of them


@dataclass(frozen=True, slots=True)
class Terms:
    """`sample`: so many random tags of each repository, None for all. `after`: the id of the job that it proves."""

    sample: int | None = None
    is_deep: bool = False
    repository: str = ""  # "": all of them
    after: int | None = None

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> Self:
        return cls(params.get("sample"), bool(params.get("deep")), params.get("repository", ""), params.get("after"))

    def written(self) -> dict[str, Any]:
        """Only what differs from a check of everything."""
        said = {"sample": self.sample, "deep": self.is_deep, "repository": self.repository, "after": self.after}
        return {name: value for name, value in said.items() if value}
