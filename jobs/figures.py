"""Figures of a job's progress. Its JSON is taken as it comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """`total` is None where it is not known, or where there is none."""

    done: int
    total: int | None = None

    @classmethod
    def read(cls, value: Any) -> Figure | None:
        match value:
            case bool():
                return None
            case int():
                return cls(value)
            case [int() as done, int() as total]:
                return cls(done, total)
            case [int() as done, None]:
                return cls(done)
        return None
