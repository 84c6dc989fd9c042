"""Runs a command and kills who had it run: `deadly.py FOLDER WORDS…`. Standard library alone.

FOLDER/target says at which command of a run, and whether it goes on meanwhile ("during") or is over ("after").
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


def main() -> int:
    folder, words, killer = Path(sys.argv[1]), sys.argv[2:], os.getppid()
    count = folder / "count"
    number = int(count.read_text() or 0) + 1 if count.exists() else 1
    count.write_text(str(number))
    target, when = (folder / "target").read_text().split()
    process = subprocess.Popen(words)
    if number == int(target) and when == "during":
        os.kill(killer, signal.SIGKILL)
    code = process.wait()
    if number == int(target):
        os.kill(killer, signal.SIGKILL)
    return code


if __name__ == "__main__":
    sys.exit(main())
