from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from oci.calls import CALL, call
from oci.errors import RegistryError, Unreachable
from oci.pace import MOST, START, Pace
from oci.transport import Transport
from tests.hostile import Asked, Hostile, Raw, Reply
from tests.oci.conftest import Connect

PATH = "v2/a/manifests/b"
WHERE = f"/{PATH}"


def ask(transport: Transport, times: int = 1) -> None:
    for _ in range(times):
        transport.exchange("GET", PATH)


def ask_together(transport: Transport, threads: int, times: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for asked in [pool.submit(ask, transport, times) for _ in range(threads)]:
            asked.result()


def after(seconds: float) -> Callable[[Asked], Reply]:
    """A registry that does many things at a time, each of them in `seconds`."""

    def reply(_: Asked) -> Reply:
        time.sleep(seconds)
        return Reply(200, b"{}")

    return reply


def one_by_one(seconds: float) -> Callable[[Asked], Reply]:
    turn = threading.Lock()

    def reply(_: Asked) -> Reply:
        with turn:
            time.sleep(seconds)
        return Reply(200, b"{}")

    return reply


def answered(pace: Pace, times: int, seconds: float, kind: str = "manifests", status: int = 200) -> None:
    """As many requests at once as are allowed, by one thread, all of them as slow."""
    for _ in range(times):
        inside = pace.limit
        for _ in range(inside):
            pace.enter()
        pace._was_full = True
        for _ in range(inside):
            pace.leave(kind, seconds, status)


# -- how many ---------------------------------------------------------------------------------------------------


def test_a_registry_that_could_do_more_is_asked_more(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, after(0.02))
    transport = connect(hostile.url).transport
    assert transport.pace.limit == START

    ask_together(transport, 16, 50)

    assert transport.pace.limit >= 12
    assert hostile.connections <= MOST


def test_a_registry_that_does_one_thing_after_the_other_is_asked_less(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, one_by_one(0.002))
    transport = connect(hostile.url).transport
    transport.pace.limit = MOST

    ask_together(transport, 16, 60)

    assert START - 1 <= transport.pace.limit < 12  # on a busy machine it comes down more slowly


def test_no_more_is_allowed_than_anybody_asks_for(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, after(0.001))
    transport = connect(hostile.url).transport

    ask_together(transport, 2, 100)

    assert transport.pace.limit == START


def test_there_are_never_more_under_way_than_the_limit(hostile: Hostile, connect: Connect) -> None:
    under_way: list[int] = []
    pace = Pace(most=3)

    def reply(_: Asked) -> Reply:
        under_way.append(pace._inside)
        time.sleep(0.005)
        return Reply(200, b"{}")

    hostile.on("GET", WHERE, reply)
    ask_together(connect(hostile.url, pace=pace).transport, 10, 10)

    assert max(under_way) == 3
    assert pace._inside == 0


def test_others_who_need_the_machine_are_given_way(hostile: Hostile, connect: Connect) -> None:
    under_way: list[int] = []
    pace = Pace()

    def reply(_: Asked) -> Reply:
        under_way.append(pace._inside)
        time.sleep(0.005)
        return Reply(200, b"{}")

    hostile.on("GET", WHERE, reply)
    pace.gives_way = lambda: True
    ask_together(connect(hostile.url, pace=pace).transport, 10, 10)
    assert max(under_way) == 1
    assert pace.limit == START  # as answers that come alone say nothing about what a registry can do

    pace.gives_way = lambda: False
    ask_together(connect(hostile.url, pace=pace).transport, 10, 10)
    assert max(under_way) >= START


def test_others_who_need_the_machine_have_it_after_each_request() -> None:
    pace = Pace()
    pace.gives_way = lambda: True
    with call(connect=1, read=1, total=1):
        for seconds, least, most in ((0.01, 0.03, 1.0), (10.0, 0.05, 1.0)):
            pace.enter()
            began = time.monotonic()
            pace.leave("manifests", seconds, 200)
            assert least <= time.monotonic() - began < most


def test_a_rest_that_is_interrupted_gives_the_turn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    pace = Pace()
    pace.gives_way = lambda: True
    pace.enter()
    monkeypatch.setattr("oci.pace.time.sleep", interrupt)

    with pytest.raises(KeyboardInterrupt):
        pace.leave("manifests", 0.01, 200)

    assert pace._inside == 0


def test_kinds_of_requests_are_judged_apart() -> None:
    pace = Pace()

    for _ in range(100):
        answered(pace, 1, 0.001, "manifests")
        answered(pace, 1, 0.1, "blobs")  # a hundred times as slow, and waits for nobody

    assert pace.limit == MOST


def test_what_an_answer_of_no_kind_or_a_refusal_takes_says_nothing() -> None:
    pace = Pace()
    answered(pace, 1, 0.01)
    answered(pace, 100, 0.0001, status=404)
    answered(pace, 100, 0.0001, kind="")

    answered(pace, 100, 0.01)

    assert pace.limit == MOST


def test_a_registry_that_became_slower_is_known_so_in_time() -> None:
    pace = Pace()
    answered(pace, 100, 0.001)
    answered(pace, 100, 0.01)
    assert pace.limit < MOST  # it seems that they wait

    for _ in range(2):
        pace._aged_at -= 60
        answered(pace, 100, 0.01)

    assert pace.limit == MOST


def test_the_latency_is_that_of_the_last_manifests() -> None:
    pace = Pace()
    assert pace.latency is None

    answered(pace, 100, 5.0)
    answered(pace, 100, 0.25)
    answered(pace, 100, 7.0, "blobs")

    assert pace.latency == 0.25


# -- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_halves_what_is_allowed_once_a_second(status: int, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(status))
    pace = Pace()
    pace.limit = MOST
    transport = connect(hostile.url, pace=pace, attempts=1).transport

    for _ in range(5):
        with pytest.raises(RegistryError):
            ask(transport)
    assert pace.limit == MOST // 2
    assert pace.busy == 5

    for left in (4, 2, 1, 1):
        pace._halved_at -= 1
        with pytest.raises(RegistryError):
            ask(transport)
        assert pace.limit == left


def test_more_is_not_tried_again_soon_after_a_refusal() -> None:
    pace = Pace()
    pace.enter()
    pace.leave("manifests", 0.001, 429)

    answered(pace, 100, 0.001)
    assert pace.limit == START // 2

    pace._calm_at -= 10
    answered(pace, 100, 0.001)
    assert pace.limit > START


def test_no_answer_halves_too_and_is_no_refusal(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(delay=2))
    transport = connect(hostile.url, read=0.1, attempts=1).transport

    with pytest.raises(Unreachable):
        ask(transport)

    assert (transport.pace.limit, transport.pace.busy) == (START // 2, 0)


def test_nobody_asks_before_the_time_that_the_registry_names(hostile: Hostile, connect: Connect) -> None:
    asked: list[float] = []

    def reply(_: Asked) -> Reply:
        asked.append(time.monotonic())
        is_first = len(asked) == 1
        return Reply(429, headers={"Retry-After": "1"}) if is_first else Reply(200, b"{}")

    hostile.on("GET", WHERE, reply)
    transport = connect(hostile.url).transport
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(ask, transport)
        while not transport.pace.busy:
            time.sleep(0.01)
        others = [pool.submit(ask, transport) for _ in range(5)]
        for future in (first, *others):
            future.result()

    assert min(asked[1:]) - asked[0] >= 1
    assert max(asked) - asked[0] < 1.5
    assert len(asked) == 7


def test_a_registry_cannot_ask_to_be_left_alone_for_long() -> None:
    pace = Pace()
    pace.enter()
    pace.leave("manifests", 0.001, 503, 1e9)

    assert 19 < pace._pause <= 20


# -- turns ------------------------------------------------------------------------------------------------------


def test_turns_are_taken_in_order() -> None:
    pace, order = Pace(most=1), list[int]()
    pace.enter()

    def take(number: int) -> None:
        pace.enter()
        order.append(number)
        pace.leave("", 0, 200)

    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(take, number)
            while len(pace._queue) <= number:
                time.sleep(0.001)
        pace.leave("", 0, 200)

    assert order == list(range(8))


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pace]:
    """Two are inside, and a third waits, who does not look around."""
    monkeypatch.setattr("oci.pace._GLANCE", 5)
    pace = Pace(most=2)
    pace.enter()
    pace.enter()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pace.enter)
        while not pace._queue:
            time.sleep(0.001)
        yield pace
        while pace._inside:
            pace.leave("", 0, 200)


def test_who_comes_back_at_once_finds_the_place_kept(queued: Pace) -> None:
    queued.leave("", 0, 200)
    queued.enter()

    assert (queued._inside, len(queued._queue)) == (2, 1)


def test_nobody_is_passed_by_for_ever(queued: Pace) -> None:
    turns = 0
    while queued._queue:
        queued.leave("", 0, 200)
        turns += 1
        if queued._queue:
            queued.enter()

    assert 2 < turns <= 8


def test_one_place_is_kept_and_no_more(queued: Pace) -> None:
    queued.leave("", 0, 200)
    queued.leave("", 0, 200)

    assert (queued._inside, len(queued._queue)) == (1, 0)


def test_a_place_that_is_kept_in_vain_is_taken() -> None:
    pace = Pace(most=2)
    pace.enter()
    pace.enter()
    with ThreadPoolExecutor(1) as pool:
        third = pool.submit(pace.enter)
        while not pace._queue:
            time.sleep(0.001)

        pace.leave("", 0, 200)

        third.result(timeout=1)
    assert pace._inside == 2


def test_a_wait_for_a_turn_ends(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, after(1))
    pace = Pace(most=1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, connect(hostile.url, pace=pace).transport)
        while not pace._inside:
            time.sleep(0.01)
        began = time.monotonic()
        with pytest.raises(Unreachable, match="others asked the registry all the time"):
            ask(connect(hostile.url, pace=pace, total=0.2, attempts=1).transport)

        assert 0.15 < time.monotonic() - began < 0.9
        slow.result()

    assert len(hostile.requests) == 1
    assert (pace._inside, len(pace._queue)) == (0, 0)


def test_a_wait_for_a_turn_is_not_counted_as_the_registry_s(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, after(0.25))
    transport = connect(hostile.url, pace=Pace(most=1), total=0.4, attempts=1).transport

    with ThreadPoolExecutor(2) as pool:
        done = wait([pool.submit(ask, transport) for _ in range(2)]).done

    assert [future.exception() for future in done] == [None, None]


def test_a_call_that_queues_again_and_again_has_waited_all_the_same() -> None:
    pace = Pace(most=1)
    pace.enter()
    began = time.monotonic()

    with call(connect=1, read=1, total=0.2):
        for _ in range(5):
            with pytest.raises(TimeoutError):
                pace.enter()

    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize("let_in", [False, True])
def test_who_is_interrupted_in_the_queue_leaves_it(let_in: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(most=1)
    pace.enter()

    def interrupted(*_: object) -> None:
        if let_in:
            pace.leave("", 0, 200)
        raise KeyboardInterrupt

    monkeypatch.setattr(pace, "_wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pace.enter()

    assert (pace._inside, len(pace._queue)) == (0 if let_in else 1, 0)


def test_a_turn_is_given_back_however_it_ends(hostile: Hostile, connect: Connect) -> None:
    replies: list[Any] = [
        Raw(b""), Raw(b"SSH-2.0\r\n\r\n"), Reply(200, b"x" * 2**21), Reply(404), Reply.redirect("ftp:"),
        Reply(200, b"x", announced=5), Reply(401), Reply(302, headers={"Location": "http://127.0.0.1:1/"}),
    ]  # fmt: skip
    pace = Pace()
    transport = connect(hostile.url, pace=pace, attempts=1).transport

    for reply in replies:
        hostile.on("GET", WHERE, reply)
        with pytest.raises(RegistryError):
            ask(transport)
        assert pace._inside == 0


def test_other_hosts_are_asked_without_a_turn(hostile: Hostile, other_host: Hostile, connect: Connect) -> None:
    pace = Pace(most=1)
    inside: list[int] = []

    def cdn(_: Asked) -> Reply:
        inside.append(pace._inside)
        return Reply(429)

    hostile.on("GET", WHERE, Reply.redirect(f"{other_host.url}/cdn"))
    other_host.on("GET", "/cdn", cdn)
    with pytest.raises(RegistryError):
        ask(connect(hostile.url, pace=pace, attempts=1).transport)

    assert inside == [0]
    assert (pace.limit, pace.busy) == (1, 0)


def test_transports_may_share_a_pace(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(200, b"{}"))
    pace = Pace()

    for _ in range(2):
        ask(connect(hostile.url, pace=pace).transport, 3)

    assert len(pace._manifests) == 6


def test_many_threads_come_to_an_end_whatever_happens() -> None:
    pace = Pace()

    def go(seed: int) -> None:
        for step in range(300):
            pace.enter()
            status = (200, 200, 404, 0, 429)[(seed * step) % 5]
            pace.leave("manifests", 0.001 * (1 + step % 3), status, 0.001 if step % 50 == 0 else None)

    with ThreadPoolExecutor(12) as pool:
        done, unfinished = wait([pool.submit(go, seed) for seed in range(12)], timeout=20)

    assert not unfinished
    assert all(future.exception() is None for future in done)
    assert (pace._inside, len(pace._queue)) == (0, 0)


# -- how far apart ----------------------------------------------------------------------------------------------


def test_a_token_service_elsewhere_is_asked_in_turn_too(
    hostile: Hostile, other_host: Hostile, connect: Connect
) -> None:
    pace = Pace(most=1)
    inside: list[int] = []

    def token(_: Asked) -> Reply:
        inside.append(pace._inside)
        return Reply.json({"token": "T"})

    challenge = Reply.challenge(f'Bearer realm="{other_host.url}/token",service="s"')
    hostile.on("GET", WHERE, challenge, Reply(200, b"{}"))
    other_host.on("GET", "/token", token)
    ask(connect(hostile.url, realm=f"{other_host.url}/token", pace=pace, attempts=1).transport)

    assert inside == [1]
    assert pace._inside == 0


def test_requests_are_so_far_apart_whoever_asks(hostile: Hostile, connect: Connect) -> None:
    came: list[float] = []

    def reply(_: Asked) -> Reply:
        came.append(time.monotonic())
        return Reply(200, b"{}")

    hostile.on("GET", WHERE, reply)
    pace = Pace(per_second=40)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        for asked in [pool.submit(ask, connect(hostile.url, pace=pace).transport, 3) for _ in range(4)]:
            asked.result()

    assert len(came) == 12
    assert came[-1] - began >= 11 / 40  # never sooner, however busy this machine is


def test_who_waits_for_a_moment_is_not_passed_by() -> None:
    pace, waits = Pace(per_second=1000), threading.Lock()
    waits.acquire()
    pace._queue.append(waits)
    pace.enter()

    assert waits.acquire(blocking=False)  # it was let in before
    assert pace._inside == 2


def test_who_is_patient_waits_longer_than_a_call_may_take() -> None:
    pace = Pace(per_second=20)
    with call(connect=1, read=1, total=0.001, patience=60):
        for _ in range(3):
            pace.enter()
            pace.leave("", 0.0, 200)


def test_who_is_not_gives_up() -> None:
    pace = Pace(per_second=0.01)
    pace.enter()
    pace.leave("", 0.0, 200)
    with call(connect=1, read=1, total=0.01), pytest.raises(TimeoutError):
        pace.enter()
    assert (pace._inside, len(pace._queue)) == (0, 0)


def test_a_transport_is_as_patient_as_it_was_told(hostile: Hostile, connect: Connect) -> None:
    waited: list[float] = []

    class Patience(Pace):
        def enter(self) -> None:
            waited.append(CALL.patience)
            super().enter()

    hostile.on("GET", WHERE, Reply(200, b"{}"))
    ask(connect(hostile.url, pace=Patience(), total=10, patience=640).transport)
    ask(connect(hostile.url, pace=Patience(), total=10, patience=5).transport)

    assert waited == [640, 10]
