"""The programs that the tests use; run as a script, it says which are missing and how to get them."""

from __future__ import annotations

import shutil
import sys
from typing import Final

# In Debian, each is called like the package that brings it.
PROGRAMS: Final = ("docker-registry", "skopeo", "chromium", "curl", "jq")


def missing() -> list[str]:
    return [name for name in PROGRAMS if not shutil.which(name)]


def require_programs() -> None:
    """End the run where a program is missing: a test that is skipped for it would be a green lie."""
    if packages := missing():
        line = f"The tests need {', '.join(packages)}: apt-get install {' '.join(packages)}"
        if "docker-registry" in packages:
            line += " (and systemctl disable --now docker-registry: the tests start their own)"
        sys.exit(line)


if __name__ == "__main__":
    require_programs()
