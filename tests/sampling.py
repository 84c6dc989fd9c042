"""What continuous integration tries a part of each day, so that it stays quick; `./run test` tries all of it.

`.ci/run` asks for every fourteenth: of the moments at which a test kills somebody, of the tests that are marked
`sampled`, which take tens of seconds each, and of the looks of a page. Of those that are marked `sampled(3)`, which are
stories in a browser and starts of Berth, it tries a third, and of pages as many. Tomorrow they are others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

Sample = TypeVar("Sample")

EVERY: Final = int(os.environ.get("BERTH_TEST_EVERY", "1"))
_TODAY: Final = datetime.now(UTC).toordinal()
FIRST: Final = _TODAY % EVERY


def of_today(samples: Sequence[Sample], days: int = EVERY) -> Sequence[Sample]:
    """Those of one of so many days; all of them where not so few are asked for."""
    every = min(EVERY, days)
    return samples[_TODAY % every :: every]
