"""The programs that the tests use; run as a script, it says which are missing and how to get them."""

from __future__ import annotations

import shutil
import sys
from typing import Final

# Debian's package → the names of its program.
PROGRAMS: Final = {
    "docker-registry": ("docker-registry", "registry"),
    "skopeo": ("skopeo",),
    "chromium": ("chromium",),
}


def missing() -> list[str]:
    return [package for package, names in PROGRAMS.items() if not any(map(shutil.which, names))]


def require_programs() -> None:
    """End the run where a program is missing: a test that is skipped for it would be a green lie."""
    if packages := missing():
        line = f"The tests need {', '.join(packages)}: apt-get install {' '.join(packages)}"
        if "docker-registry" in packages:
            line += " (and systemctl disable --now docker-registry: the tests start their own)"
        sys.exit(line)


if __name__ == "__main__":
    require_programs()
