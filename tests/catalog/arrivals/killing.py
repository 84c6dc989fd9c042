"""A process that handles what a registry told again and again, each time killed one write later, and then goes on.

    python -m tests.catalog.arrivals.killing BODIES

BERTH_DATA holds two databases that were migrated and know the registry; BODIES is a file with a line of JSON for each
delivery. Prints a line of JSON for each kill: what there is when another has gone on.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.killing import Countdown, each_write, forked, killed_everywhere, load

LOADED = ("catalog.arrivals.serving", "tests.catalog.picture", "tests.catalog.arrivals.station", "requests")


def come_in(bodies: list[bytes]) -> None:
    from registries.models import Registry
    from tests.catalog.arrivals.station import hand_in

    hand_in(Registry.objects.get(), bodies)


def handle(countdown: Countdown) -> None:
    from tests.catalog.arrivals.station import handle_all

    with each_write(countdown.step):
        handle_all()


def go_on() -> dict[str, Any]:
    """As the process that the supervisor starts next; what there is then."""
    from django.db.models import Sum

    from audit.models import Delivery, Entry, EventStream, Quarantined, SeenEvent
    from catalog.models import PullDay, Tag, Waiting
    from tests.catalog.arrivals.station import handle_all
    from tests.catalog.picture import check_counters

    handle_all()
    check_counters()
    stream = EventStream.objects.get()
    return {
        "story": sorted(Entry.objects.values_list("act", "tag", "digest_before", "digest_after", "count")),
        "seen": SeenEvent.objects.count(),
        "handled": stream.handled,
        "repeated": stream.repeated,
        "looks": stream.looks,
        "pulls": PullDay.objects.aggregate(pulls=Sum("pulls"))["pulls"],
        "tags": sorted(Tag.objects.live().values_list("name", "presence__manifest__digest")),
        "waiting": Waiting.objects.count(),
        "inbox": Delivery.objects.count(),
        "quarantined": Quarantined.objects.count(),
    }


def main() -> None:
    data = load(*LOADED)
    bodies = Path(sys.argv[1]).read_bytes().splitlines()
    assert forked(partial(come_in, bodies)) == 0
    killed_everywhere(data, handle, go_on, is_sampled=True)


if __name__ == "__main__":
    main()
