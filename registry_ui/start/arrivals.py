"""The process that handles what registries tell: `python -m registry_ui.start.arrivals`."""

from __future__ import annotations

import os
import signal
from typing import Any, Final

import django

from jobs import ending

_NICE: Final = 5  # whoever takes events in goes first, and whoever shows a page


def _ask(*_: Any) -> None:
    ending.ask()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _ask)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the supervisor decides
    os.nice(_NICE)
    django.setup()
    from catalog.arrivals import serving

    serving.serve()
