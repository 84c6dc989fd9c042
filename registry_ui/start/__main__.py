"""`python -m registry_ui.start`: what `./run` becomes."""

from __future__ import annotations

import os
import sys

from registry_ui.start import options, sequence
from registry_ui.start.errors import StartError, Stopped
from registry_ui.start.journal import Console


def main(arguments: list[str]) -> int:
    os.umask(0o077)  # what is in the data folder is nobody else's to read
    console = Console(os.environ.get("BERTH_LOG_FORMAT", ""), verbose=False)
    try:
        told = options.parse(arguments)
        console = Console(told.log_format, verbose=told.verbose)
        sequence.run(told, console)
    except StartError as error:
        console.complain(str(error))
        return error.exit_code
    except (Stopped, KeyboardInterrupt):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
