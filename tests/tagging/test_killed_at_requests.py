"""A worker is killed after every single request of a plan: the final set is the plan, each item recorded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real_registry import generations
from tests.tagging.apart import TAGS, check_killed_everywhere

pytestmark = pytest.mark.long


@pytest.mark.parametrize("generation", generations())
def test_a_plan_comes_to_its_end(tmp_path: Path, generation: str) -> None:
    check_killed_everywhere(tmp_path, generation, "request", least=2 * TAGS[generation])
