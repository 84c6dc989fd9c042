"""Requests of a process take turns, and what waits elsewhere holds nobody up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from jobs.processor import Turns, given_up

HANGS = 10.0  # seconds after which a test that waits has failed


def ask(application: Turns, what: str) -> threading.Thread:
    thread = threading.Thread(target=lambda: list(application({"PATH_INFO": what}, print)), daemon=True)
    thread.start()
    return thread


class Site:
    """Counts how many of its requests are worked on at once; each ends when it is let."""

    def __init__(self, waits: Callable[[threading.Event], bool]) -> None:
        self.at_once = self.most_at_once = self.served = 0
        self.begun, self.may_end = threading.Semaphore(0), threading.Event()
        self._waits, self._lock = waits, threading.Lock()

    def __call__(self, _environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.release()
        assert self._waits(self.may_end)
        with self._lock:
            self.at_once -= 1
            self.served += 1
        return [b"done"]


def work(may_end: threading.Event) -> bool:
    return may_end.wait(HANGS)


def wait_elsewhere(may_end: threading.Event) -> bool:
    with given_up():
        return may_end.wait(HANGS)


def serve(site: Site, requests: int, *, begin_together: int, patience: float) -> None:
    """All `requests`; they may end once `begin_together` of them have begun, and no more."""
    threads = [ask(Turns(site, patience), "/") for _ in range(requests)]
    for _ in range(begin_together):
        assert site.begun.acquire(timeout=HANGS)
    assert not site.begun.acquire(timeout=0.3)
    site.may_end.set()
    for thread in threads:
        thread.join(HANGS)
    assert site.served == requests


def test_one_is_worked_on_at_a_time() -> None:
    site = Site(work)
    serve(site, 4, begin_together=1, patience=HANGS)
    assert site.most_at_once == 1


def test_who_waits_for_a_registry_lets_others_work() -> None:
    serve(Site(wait_elsewhere), 4, begin_together=4, patience=HANGS)


def test_one_that_takes_long_does_not_keep_the_others_out() -> None:
    serve(Site(work), 3, begin_together=3, patience=0.01)


def test_a_fault_gives_the_turn_back() -> None:
    def faulty(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
        raise ZeroDivisionError

    for _ in range(2):
        try:
            Turns(faulty, patience=HANGS)({}, print)
        except ZeroDivisionError:
            continue
    site = Site(work)
    site.may_end.set()
    ask(Turns(site, patience=HANGS), "/").join(HANGS)
    assert site.served == 1
