"""What continuous integration tries a part of each day, so that it stays quick; `./run test` tries all of it.

`.ci/run` asks for every fourteenth: of the moments at which a test kills somebody, of the tests that are marked
`sampled`, which take tens of seconds each, and of the looks of a page. Tomorrow they are others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

Sample = TypeVar("Sample")

EVERY: Final = int(os.environ.get("BERTH_TEST_EVERY", "1"))
FIRST: Final = datetime.now(UTC).toordinal() % EVERY


def of_today(samples: Sequence[Sample]) -> Sequence[Sample]:
    return samples[FIRST::EVERY]
