"""How large a catalog is, and how it is cut into repositories."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

_SPREAD: Final = 1.1  # of a log-normal distribution: few repositories have most of the tags
_EMPTY_EVERY, _EMPTY_AT = 100, 50
_GONE_EVERY, _GONE_AT = 400, 33
GONE_TAGS: Final = 3  # of a repository that is gone itself
WIDE: Final = 1  # the number of the repository that has more tags than all others


@dataclass(frozen=True, slots=True)
class Catalog:
    """`tags` are those of all repositories together, `wide` those of the widest; a seed makes the rest."""

    repositories: int
    tags: int
    wide: int
    seed: int = 4

    def tags_of_each(self) -> list[int]:
        """How many tags each repository has that is there, by its number less one; together they are `tags`."""
        chance = random.Random(self.seed)  # noqa: S311  nothing here is secret
        weights = [
            0.0 if number == WIDE or is_empty(number) or is_gone(number) else chance.lognormvariate(0, _SPREAD)
            for number in range(1, self.repositories + 1)
        ]
        rest, filled = self.tags - self.wide, sum(1 for weight in weights if weight)
        scale = (rest - filled) / sum(weights)
        counts = [1 + math.floor(weight * scale) if weight else 0 for weight in weights]
        counts[WIDE - 1] = self.wide
        last = max(number for number, weight in enumerate(weights) if weight)
        counts[last] += self.tags - sum(counts)
        return counts


def is_empty(number: int) -> bool:
    """Whether the repository of that number never had a tag."""
    return number % _EMPTY_EVERY == _EMPTY_AT


def is_gone(number: int) -> bool:
    """Whether it was there once."""
    return number % _GONE_EVERY == _GONE_AT
