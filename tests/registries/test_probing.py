"""What a probe finds, at real registries and at hostile ones; and who hears of the password."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registries import services
from registries.findings import Finding, Mark, findings, realm_host
from registries.models import Registry
from registries.probing import probe
from registries.services import Details
from tests.certificates import SelfSigned
from tests.hostile import Hostile, Reply
from tests.pushing import Pusher
from tests.real_registry import PASSWORD, USERNAME, RealRegistry, generations

pytestmark = pytest.mark.django_db

CANARY = "CANARY-7f3"


def at(url: str, **said: Any) -> Registry:
    registry = services.add(Details(**{"url": url, "plain_http": True, **said}))
    probe(registry)
    registry.refresh_from_db()
    return registry


def sentences(registry: Registry) -> list[str]:
    return [finding.sentence for finding in findings(registry)]


def only_finding(registry: Registry) -> Finding:
    (finding,) = findings(registry)
    return finding


@pytest.fixture(scope="module", params=generations())
def locked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path_factory.mktemp("locked"), request.param, htpasswd=True, deletes=False) as registry:
        yield registry


def test_an_open_registry(real_registry: RealRegistry) -> None:
    registry = at(real_registry.url)

    assert sentences(registry)[:3] == [
        f"Reachable, behaves like distribution {real_registry.generation}.",
        "Asks nobody who they are: whoever reaches it may read it.",
        "The catalog may be read, 1,000 names a page.",
    ]
    assert registry.capability("deletes") is True
    assert registry.capability("deletes_tags") is (real_registry.generation == "3")
    assert registry.probed_at is not None


def test_a_probe_changes_nothing(real_registry: RealRegistry, push: Pusher) -> None:
    push.image("1.0")
    before = sorted(path for path in real_registry.storage.rglob("*"))

    at(real_registry.url)

    assert sorted(path for path in real_registry.storage.rglob("*")) == before


def test_basic_auth_and_deletes_off(locked: RealRegistry) -> None:
    registry = at(locked.url, username=USERNAME, password=PASSWORD)

    assert sentences(registry)[1:] == [
        "Asks for basic auth, and lets the stored user in.",
        "The catalog may be read, 1,000 names a page.",
        "Deletes are off.",
    ]
    assert "REGISTRY_STORAGE_DELETE_ENABLED=true" in findings(registry)[-1].cure


def test_a_registry_that_wants_credentials_says_so(locked: RealRegistry) -> None:
    assert only_finding(at(locked.url)).sentence == "It asks for a user name and a password."


def test_wrong_credentials_are_told_from_none(locked: RealRegistry) -> None:
    finding = only_finding(at(locked.url, username=USERNAME, password=CANARY))

    assert finding.sentence == "It refuses the stored user name and password."
    assert CANARY not in repr(finding)


def test_an_address_where_nothing_listens() -> None:
    finding = only_finding(at("http://127.0.0.1:1"))

    assert finding.mark == Mark.NO
    assert finding.cure == "Is it running, and can this server reach 127.0.0.1:1?"


def test_a_web_site_that_is_no_registry(hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply(200, b"<html>Welcome</html>", {"Content-Type": "text/html"}))

    finding = only_finding(at(hostile.url))

    assert finding.sentence == "What answers there is no registry."
    assert f"{hostile.url}/v2/" in finding.cure


def test_a_registry_with_a_fault_of_its_own(hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply(500))

    assert only_finding(at(hostile.url)).sentence == "It answers with a fault of its own."


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    made = SelfSigned.made(tmp_path)
    with RealRegistry(tmp_path / "registry", tls=made.files) as real:
        finding = only_finding(at(real.url))
        registry = Registry.objects.get()
        services.edit(registry, Details(url=real.url, ca=made.certificate.read_text()))
        registry.refresh_from_db()
        probe(registry)

    assert finding.sentence == "No trusted connection to it can be made."
    assert sentences(registry)[0].startswith("Reachable")


def test_a_registry_without_tls_is_told_from_one_that_nobody_vouches_for(real_registry: RealRegistry) -> None:
    finding = only_finding(at(real_registry.url.replace("http:", "https:")))

    assert finding.sentence == "It speaks plain http."
    assert finding.cure == "Write http:// before its address, and allow that."


def test_a_catalog_that_is_closed(hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply.json({}, Docker_Distribution_Api_Version="registry/2.0"))
    hostile.on("GET", "/v2/_catalog", Reply.errors(401, "UNAUTHORIZED"))

    closed = findings(at(hostile.url))[2]

    assert closed.mark == Mark.NO
    assert "registry:catalog:*" in closed.cure


def test_the_token_service_is_asked_only_after_a_yes(hostile: Hostile, other_host: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply.challenge(f'Bearer realm="{other_host.url}/token",service="x"'))
    registry = at(hostile.url, username="alice", password=CANARY)

    assert other_host.connections == 0
    assert realm_host(registry) == f"127.0.0.1:{other_host.port}"
    assert only_finding(registry).sentence == f"It asks for a token of 127.0.0.1:{other_host.port}."

    services.trust_realm(registry, registry.capability("realm"))
    probe(registry)

    (asked,) = other_host.asked("/token")[:1]
    assert base64.b64decode(asked.headers["Authorization"].split()[1]).decode() == f"alice:{CANARY}"


def test_a_yes_is_not_a_yes_to_the_next_one(hostile: Hostile, other_host: Hostile) -> None:
    registry = at(hostile.url, username="alice", password=CANARY)
    Registry.objects.filter(pk=registry.pk).update(realm="https://auth.example.org:1")
    registry.refresh_from_db()
    hostile.on("GET", "/v2/", Reply.challenge(f'Bearer realm="{other_host.url}/token",service="x"'))

    probe(registry)

    assert other_host.connections == 0
    assert registry.capability("problem") == "foreign-realm"


def test_a_moved_registry_gets_no_password_of_the_old_one(locked: RealRegistry, other_host: Hostile) -> None:
    registry = at(locked.url, username=USERNAME, password=PASSWORD)
    other_host.on("GET", "/v2/", Reply.challenge('Basic realm="please"'))

    # The form as it was shown: the user name is in it, the password is not.
    moved = services.edit(registry, Details(url=other_host.url, username=USERNAME, plain_http=True)).registry
    probe(moved)

    assert other_host.asked()
    assert [
        request.headers["Authorization"] for request in other_host.asked() if request.headers["Authorization"]
    ] == []


def test_a_path_on_the_same_host_is_somebody_else_too(hostile: Hostile) -> None:
    registry = at(f"{hostile.url}/mine", username="alice", password=CANARY)
    hostile.on("GET", "/theirs/v2/", Reply.challenge('Basic realm="please"'))

    probe(services.edit(registry, Details(url=f"{hostile.url}/theirs", username="alice", plain_http=True)).registry)

    assert all("Authorization" not in request.headers for request in hostile.asked("/theirs/v2/"))


def test_the_password_is_in_no_finding_no_log_and_no_json(hostile: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    basic = base64.b64encode(f"alice:{CANARY}".encode()).decode()
    echo = Reply.errors(403, "DENIED", f"{CANARY} {basic}")
    hostile.on("GET", "/v2/", Reply.challenge('Basic realm="x"'), echo)
    caplog.set_level(logging.DEBUG)

    registry = at(hostile.url, username="alice", password=CANARY)

    told = json.dumps(registry.capabilities) + repr(findings(registry)) + caplog.text
    assert CANARY not in told
    assert basic not in told


def test_an_answer_that_comes_too_late_is_not_kept_for_the_new_address(hostile: Hostile) -> None:
    registry = services.add(Details(url=hostile.url, plain_http=True))
    stale = Registry.objects.get(pk=registry.pk)
    Registry.objects.filter(pk=registry.pk).update(url="https://moved.example")

    probe(stale)

    registry.refresh_from_db()
    assert registry.capabilities == {}


def test_a_password_over_plain_http_is_told(hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply.json({}, Docker_Distribution_Api_Version="registry/2.0"))
    registry = at(hostile.url, username="alice", password=CANARY)
    registry.url = "http://registry.example.org"

    assert findings(registry)[-1].sentence == "The password travels unencrypted."


def test_before_the_first_test() -> None:
    registry = services.add(Details(url="https://a.example"))

    assert only_finding(registry).mark == Mark.NOTE
