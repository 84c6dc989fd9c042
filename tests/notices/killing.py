"""A process whose rounds of telling are killed, each one write later, and then gone on with by another.

    python -m tests.notices.killing URL [--at-once N | --kill-at-the-request]

BERTH_DATA holds a migrated database. Prints a line of JSON for each kill: the state of the notices.
"""

from __future__ import annotations

import argparse
import signal
from functools import partial
from typing import Any, Final

from tests.killing import Countdown, at_once, each_write, forked, killed_everywhere, load

THINGS: Final = 2
_LOADED: Final = ("notices.tasks", "requests", "audit.models", "jobs.models")


def prepare(url: str) -> None:
    from tests.notices import furniture as make

    make.recipient(url)
    for _ in range(THINGS):
        make.entry()


def tell(countdown: Countdown) -> None:
    from tests.notices.furniture import round_of_work

    with each_write(countdown.step):
        round_of_work()


def go_on() -> dict[str, Any]:
    """Another worker, once the claims of the first have ended."""
    from notices.models import Notice, Subscription
    from tests.notices.furniture import later, round_of_work

    later(Subscription.objects.get())
    round_of_work()
    return {"notices": sorted(Notice.objects.values_list("source", "state"))}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--at-once", type=int)
    parser.add_argument("--kill-at-the-request", action="store_true")  # which the other side does
    options = parser.parse_args()
    data = load(*_LOADED)
    assert forked(partial(prepare, options.url)) == 0
    if options.at_once:
        at_once([partial(tell, Countdown(0))] * options.at_once)
        assert forked(go_on) == 0
    elif options.kill_at_the_request:
        assert forked(partial(tell, Countdown(0))) == signal.SIGKILL
        assert forked(go_on) == 0
    else:
        killed_everywhere(data, tell, go_on)


if __name__ == "__main__":
    main()
