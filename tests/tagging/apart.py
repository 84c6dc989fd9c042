"""Plans carried out in processes of their own, which are killed, or begin at the same moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.catalog.apart import prepare, scan_apart
from tests.killing import told_by
from tests.real_registry import RealRegistry
from tests.sampling import EVERY
from tests.tagging.killing import KEPT, push

# One chunk, of tags that share a digest and of tags alone; 3 does the same for each, one after the other.
TAGS = {"2.8": 12, "3": 6}


def check_killed_everywhere(folder: Path, generation: str, step: str, least: int) -> None:
    """Whoever resumes a plan whose worker was killed after any of its steps comes to the end that the plan says."""
    tags = TAGS[generation]
    with RealRegistry(folder / "registry", generation) as registry:
        names = push(registry.url, tags)
        prepare(folder / "data", registry.url)
        assert scan_apart(folder / "data").state == "done"

        ends = carried_apart(folder / "data", registry.url, tags, "--step", step)

        assert len(ends) > least // EVERY
        for number, end in enumerate(ends):
            assert end == {
                "state": "done",
                "message": f"Done: {tags} of {tags}.",
                "items": ["done"],
                "recorded": sorted(names),
                "trash": sorted(names),
                "live": sorted(KEPT),
                "open": 0,
                "listed": sorted(KEPT),
            }, f"of those killed after a {step}, number {number + 1}"


def carried_apart(data: Path, url: str, tags: int, *options: str) -> list[dict[str, Any]]:
    return told_by("tests.tagging.killing", data, url, str(tags), *options)
