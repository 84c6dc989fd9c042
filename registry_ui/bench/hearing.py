"""What a Berth has made of events, asked in a process of its own; and the process that handles them.

`python -m registry_ui.bench.hearing secret NAME` issues a secret, `… state NAME` says how the stream of events stands.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from registry_ui.bench.errors import BenchError
from registry_ui.bench.processes import end, last_words
from registry_ui.bench.site import Site

_MODULE: Final = "registry_ui.bench.hearing"
_PATIENCE: Final = 120.0  # seconds for what was told to be handled
_LOOK: Final = 0.1


@dataclass(frozen=True, slots=True)
class State:
    handled: int
    repeated: int
    quarantined: int
    waiting: int  # deliveries in the inbox
    entries: int  # pulls of which entries tell


def secret(site: Site, name: str) -> str:
    return site.run(_MODULE, "secret", name).strip()


def state(site: Site, name: str) -> State:
    return State(**json.loads(site.run(_MODULE, "state", name)))


@contextmanager
def handling(site: Site) -> Iterator[None]:
    """As `./run` has it done."""
    process = site.start("registry_ui.start.arrivals")
    try:
        yield
        if process.poll() is not None:
            raise BenchError(f"Whoever handles events fell over:\n{last_words(site.log)}")
    finally:
        end(process)


def wait_until_handled(site: Site, name: str) -> tuple[float, State]:
    """Seconds until nothing of what was told waits any more, and how it stands then."""
    began = time.perf_counter()
    while (now := state(site, name)).waiting:
        if time.perf_counter() - began > _PATIENCE:
            raise BenchError(f"{now.waiting} events still wait to be handled.")
        time.sleep(_LOOK)
    return time.perf_counter() - began, now


def _secret(name: str) -> str:
    from registries import event_secrets
    from registries.models import Registry

    return event_secrets.issue(Registry.objects.get(name=name))


def _state(name: str) -> str:
    from django.db.models import Sum

    from audit.models import Delivery, Entry, EventStream
    from registries.models import Registry

    row = Registry.objects.get(name=name)
    stream = EventStream.objects.filter(registry_id=row.pk).first() or EventStream()
    pulls = Entry.objects.filter(registry_id=row.pk, act=Entry.Act.PULL).aggregate(pulls=Sum("count"))
    return json.dumps(
        {
            "handled": stream.handled,
            "repeated": stream.repeated,
            "quarantined": stream.quarantined,
            "waiting": Delivery.objects.filter(registry_id=row.pk).count(),
            "entries": pulls["pulls"] or 0,
        }
    )


if __name__ == "__main__":
    import django

    django.setup()
    _command, _name = sys.argv[1:]
    sys.stdout.write((_secret if _command == "secret" else _state)(_name) + "\n")
