"""The process that handles what registries tell: `python -m registry_ui.start.arrivals`."""

from __future__ import annotations

import signal
from typing import Any

import django

from jobs import ending


def _ask(*_: Any) -> None:
    ending.ask()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _ask)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the supervisor decides
    django.setup()
    from catalog.arrivals import serving

    serving.serve()
