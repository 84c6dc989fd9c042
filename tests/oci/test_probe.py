from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from oci.auth import Credentials
from oci.client import RegistryClient
from oci.pace import Pace
from tests.hostile import Asked, Hostile, Raw, Reply
from tests.oci.conftest import Connect
from tests.pushing import Pusher
from tests.real_registry import PASSWORD, SLOW_HTPASSWD, USERNAME, V3, RealRegistry, generations


def stored(registry: RealRegistry) -> list[tuple[str, int]]:
    found = [Path(folder) / name for folder, _, names in os.walk(registry.storage) for name in names]
    return sorted((str(path), path.stat().st_mtime_ns) for path in found)


def test_a_probe_tells_what_a_registry_can_and_leaves_it_as_it_is(
    client: RegistryClient,
    real_registry: RealRegistry,
    push: Pusher,
) -> None:
    push.image("latest")
    before = stored(real_registry)

    found = client.probe()

    assert found.ping == client.ping()
    assert found.catalog_allowed is True
    assert found.deletes is True
    assert found.deletes_tags is (real_registry.generation == V3)
    assert (found.page_size, found.problem) == (2, "")
    assert stored(real_registry) == before


@pytest.mark.parametrize("generation", generations())
def test_a_probe_sees_that_deletes_are_switched_off(generation: str, tmp_path: Path, connect: Connect) -> None:
    with RealRegistry(tmp_path, generation, deletes=False) as registry:
        found = connect(registry.url).probe()

    assert (found.deletes, found.deletes_tags, found.problem) == (False, False, "")


@pytest.mark.parametrize("generation", generations())
def test_a_probe_sees_that_a_registry_only_reads(generation: str, tmp_path: Path, connect: Connect) -> None:
    storage = {
        "filesystem": {"rootdirectory": str(tmp_path / "storage")},
        "delete": {"enabled": True},
        "maintenance": {"readonly": {"enabled": True}},
    }
    with RealRegistry(tmp_path, generation, settings={"storage": storage}) as registry:
        found = connect(registry.url).probe()

    assert (found.deletes, found.deletes_tags, found.problem) == (False, False, "")


def test_a_probe_measures_the_page_size(real_registry: RealRegistry, connect: Connect) -> None:
    assert connect(real_registry.url, page_size=5000).probe().page_size == 100
    assert connect(real_registry.url, page_size=1000).probe().page_size == 1000


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Reply(200, b"<html>"), "no registry"),
        (Reply(401), "GET v2/ was refused with 401"),
        (Raw(b"SSH-2.0\r\n\r\n"), "does not speak HTTP"),
    ],
)
def test_a_probe_of_something_else_says_the_problem(
    answer: Reply | Raw,
    problem: str,
    hostile: Hostile,
    connect: Connect,
) -> None:
    hostile.on("GET", "/v2/", answer)

    found = connect(hostile.url, attempts=1).probe()

    assert found.ping is None
    assert (found.catalog_allowed, found.deletes, found.deletes_tags) == (None, None, None)
    assert problem in found.problem
    assert len(hostile.requests) == 1


def test_a_probe_of_a_proxy_that_knows_only_some_paths_claims_nothing(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/v2/", Reply.json({}))

    found = connect(hostile.url).probe()

    assert found.ping is not None
    assert found.ping.generation is None
    assert (found.catalog_allowed, found.deletes, found.deletes_tags) == (False, None, None)


def test_a_probe_asks_to_delete_only_what_is_surely_not_there(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/v2/", Reply.json({}))
    client = connect(hostile.url)

    client.probe()
    client.probe()

    deletes = [request.path for request in hostile.requests if request.method == "DELETE"]
    assert len(set(deletes)) == 4
    assert {request.method for request in hostile.requests} == {"GET", "DELETE"}


ALICE = Credentials(USERNAME, PASSWORD)


@pytest.mark.parametrize("generation", generations())
def test_a_probe_measures_a_slow_check_of_passwords(generation: str, tmp_path: Path, connect: Connect) -> None:
    with RealRegistry(tmp_path, generation, htpasswd=SLOW_HTPASSWD) as registry:
        found = connect(registry.url, credentials=ALICE).probe()

    assert found.slow_auth_ms >= 20
    assert 1 <= found.round_trip_ms < found.slow_auth_ms


@pytest.mark.parametrize("generation", generations())
def test_a_quick_check_of_passwords_is_none_to_speak_of(generation: str, tmp_path: Path, connect: Connect) -> None:
    with RealRegistry(tmp_path, generation, htpasswd=True) as registry:
        found = connect(registry.url, credentials=ALICE).probe()

    assert found.slow_auth_ms == 0
    assert found.round_trip_ms >= 1


def test_a_probe_measures_the_round_trip(hostile: Hostile, connect: Connect) -> None:
    delays = iter([0.0, 0.05, 2.0])

    def slow(_: Asked) -> Reply:
        time.sleep(next(delays))
        return Reply.json({})

    hostile.on("GET", "/v2/", slow)

    found = connect(hostile.url).probe()

    assert (found.slow_auth_ms, found.problem) == (0, "")
    assert 50 <= found.round_trip_ms < 2000  # the shortest; after the long one it asks no more


def test_a_probe_does_not_wait_for_more_than_one_slow_answer(hostile: Hostile, connect: Connect) -> None:
    def slow(asked: Asked) -> Reply:
        if "Authorization" not in asked.headers:
            return Reply.challenge("Basic realm=x")
        time.sleep(0.4)
        return Reply.json({})

    hostile.on("GET", "/v2/", slow)

    found = connect(hostile.url, credentials=ALICE).probe()

    assert found.slow_auth_ms >= 350
    assert sum("Authorization" in asked.headers for asked in hostile.asked("/v2/")) == 2  # the ping, and the one


def test_a_probe_whose_measuring_fails_is_still_one(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/v2/", Reply.json({}), Raw(b"SSH-2.0\r\n\r\n"))

    found = connect(hostile.url).probe()

    assert found.ping is not None
    assert (found.slow_auth_ms, found.round_trip_ms, found.problem) == (0, 0, "")


@pytest.mark.parametrize(
    ("answer", "knows"),
    [
        (Reply.json({"schemaVersion": 2, "manifests": []}), True),
        (Reply.errors(404, "NAME_UNKNOWN"), True),
        (Reply(404, b"404 page not found"), False),
        (Reply(405), False),
        (Reply(401), None),
        (Reply(403), None),
        (Reply(200, b"<html>"), None),
        (Raw(b"SSH-2.0\r\n\r\n"), None),
    ],
)
def test_a_probe_tells_whether_there_is_a_referrers_api(
    answer: Reply | Raw, knows: bool | None, hostile: Hostile, connect: Connect
) -> None:
    def only_referrers(asked: Asked) -> Reply | Raw:
        return answer if "/referrers/" in asked.path else Reply.json({})

    hostile.otherwise(only_referrers)

    found = connect(hostile.url, attempts=1).probe()

    assert found.referrers is knows


def test_a_plain_registry_has_no_referrers_api(client: RegistryClient) -> None:
    assert client.probe().referrers is False


def test_a_probe_does_not_measure_how_far_apart_its_requests_have_to_be(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/v2/", Reply.challenge('Basic realm="x"'), Reply.json({}))
    found = connect(hostile.url, credentials=ALICE, pace=Pace(per_second=20)).probe()

    assert (found.slow_auth_ms, found.round_trip_ms) == (0, 0)
