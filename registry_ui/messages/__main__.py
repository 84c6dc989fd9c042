"""`./run messages [--check]`: write the translation files anew from the sources, or say what is wrong with them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from registry_ui.messages import catalogs, checking

_ROOT: Final = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run messages", description=__doc__, allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on what is wrong")
    if not parser.parse_args(arguments).check:
        for path in catalogs.paths(_ROOT):
            catalogs.renew(_ROOT, path)
    faults = checking.faults(_ROOT)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
