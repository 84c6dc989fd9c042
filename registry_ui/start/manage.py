"""`./run manage …`: Django's command line, in the environment of the running Berth, or of the next one."""

from __future__ import annotations

import os
import sys
from typing import Final

from registry_ui.start import environment, keys, options
from registry_ui.start.errors import StartError

_PROGRAM: Final = ("-m", "registry_ui.start.commandline")
_NOBODY: Final = "unix:///nonexistent/berth-is-not-running.sock?db=0"


def main() -> None:
    os.umask(0o077)
    try:
        told = options.parse([])
        record = environment.running(told.data)
        settings = record.settings if record else environment.django(told, keys.prepare(told.data), _NOBODY)
    except StartError as error:
        sys.exit(f"berth: {error}")
    kept = {
        name: value for name, value in os.environ.items() if not (record and environment.settings_in({name: value}))
    }
    os.execve(sys.executable, [sys.executable, *_PROGRAM, *sys.argv[1:]], {**kept, **settings})  # noqa: S606


if __name__ == "__main__":
    main()
