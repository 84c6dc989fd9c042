"""What a test of a source says, and that it never writes, deletes or costs a pull."""

from __future__ import annotations

from typing import Any

import pytest

from registries import services
from registries.findings import Mark, findings
from registries.limits import Limits
from registries.models import Registry
from registries.probing import probe
from registries.services import Details
from tests.hostile import Asked, Hostile, Raw, Reply
from tests.proxying import ForwardProxy
from tests.pushing import Pusher
from tests.real_registry import PASSWORD, USERNAME, RealRegistry

pytestmark = pytest.mark.django_db

SAMPLE = "/v2/ratelimitpreview/test/manifests/latest"
DIGEST = f"sha256:{'a' * 64}"
IMAGE = {"Docker-Content-Digest": DIGEST, "Content-Type": "application/vnd.oci.image.index.v1+json"}
LEFT = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "76;w=21600"}
BASE = Reply.json({}, Docker_Distribution_Api_Version="registry/2.0")


def at(url: str, image: str = "", **said: Any) -> Registry:
    usual = {"url": url, "plain_http": True, "role": "source"}
    registry = services.add(Details(**{**usual, **said}))
    probe(registry, image)
    registry.refresh_from_db()
    return registry


def sentences(registry: Registry) -> list[str]:
    return [finding.sentence for finding in findings(registry)]


@pytest.fixture
def hub(hostile: Hostile) -> Hostile:
    """As Docker Hub is: a token for everybody, no catalog, and a quota that is told with each manifest."""
    challenge = Reply.challenge(f'Bearer realm="{hostile.url}/token",service="s"')

    def let_in(answer: Reply) -> Any:
        return lambda asked: answer if asked.headers["Authorization"] else challenge

    hostile.on("GET", "/token", Reply.json({"token": "T"}))
    hostile.on("GET", "/v2/", let_in(BASE))
    hostile.on("HEAD", SAMPLE, let_in(Reply(200, headers={**IMAGE, **LEFT})))
    hostile.on("GET", "/v2/_catalog", challenge)
    return hostile


def test_docker_hub_says_what_is_left(hub: Hostile) -> None:
    registry = at(hub.url, preset="docker-hub", limits=Limits(quota_floor=10))

    assert sentences(registry) == [
        "Reachable, behaves like distribution 3.",
        "Lets everybody in to its public images, and us as nobody in particular.",
        "ratelimitpreview/test:latest may be pulled.",
        "76 pulls of 100 in 6 hours are left.",
        "It does not list its repositories to us: rules name each that is copied.",
    ]
    assert not [finding for finding in findings(registry) if finding.mark == Mark.NO]


def test_no_probe_of_a_source_writes_or_costs_a_pull(hub: Hostile) -> None:
    at(hub.url, preset="docker-hub")

    assert {asked.method for asked in hub.requests} == {"GET", "HEAD"}
    assert not [asked for asked in hub.requests if asked.method == "GET" and "/manifests/" in asked.path]


def test_few_pulls_are_a_fault_with_a_cure(hub: Hostile) -> None:
    registry = at(hub.url, preset="docker-hub", limits=Limits(quota_floor=76))
    (few,) = [finding for finding in findings(registry) if finding.mark == Mark.NO]
    assert (few.short, few.sentence) == ("Few pulls", "76 pulls of 100 in 6 hours are left.")
    assert few.cure.startswith("Rules wait until there are more than 76.")


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({}, "It counts no pulls of ours."),
        ({"RateLimit-Remaining": "1"}, "1 pull is left."),
        ({"RateLimit-Remaining": "5", "RateLimit-Limit": "2000"}, "5 pulls of 2,000 are left."),
        ({"RateLimit-Remaining": "5;w=5400", "RateLimit-Limit": "9"}, "5 pulls of 9 in 1.5 hours are left."),
    ],
)
def test_a_quota_may_be_said_otherwise(hub: Hostile, headers: dict[str, str], sentence: str) -> None:
    hub.on("HEAD", SAMPLE, Reply(200, headers={**IMAGE, **headers}))
    assert sentence in sentences(at(hub.url, preset="docker-hub"))


def test_whoever_signs_in_is_told_so(hub: Hostile) -> None:
    registry = at(hub.url, preset="docker-hub", username="mara", password="swordfish")
    assert "Asks for a token, and takes the one we get." in sentences(registry)


def test_one_that_lets_nobody_in_at_its_front_door_may_give_images_all_the_same(hostile: Hostile) -> None:
    """As ghcr.io does: without a user there is a token for each public image, and none for nothing."""
    challenge = Reply.challenge(f'Bearer realm="{hostile.url}/token",service="s",scope="repository:user/image:pull"')

    def token(asked: Asked) -> Reply:
        return Reply.json({"token": "T"}) if "a%2Fb" in asked.query else Reply.errors(403, "DENIED")

    hostile.on("GET", "/token", token)
    hostile.otherwise(challenge)
    hostile.on("HEAD", "/v2/a/b/manifests/1", Reply(200, headers=IMAGE))
    registry = at(hostile.url, "a/b:1")

    assert hostile.asked("/v2/a/b/manifests/1")[-1].headers["Authorization"] == "Bearer T"
    assert sentences(registry)[:3] == [
        "Reachable, speaks the distribution API.",
        "Lets everybody in to its public images, and us as nobody in particular.",
        "a/b:1 may be pulled.",
    ]


@pytest.mark.parametrize(
    ("answer", "mark", "sentence"),
    [
        (Reply.errors(404, "MANIFEST_UNKNOWN"), Mark.NOTE, "It lets us in, and has no a/b:1."),
        (Reply.errors(403, "DENIED"), Mark.NO, "a/b:1 may not be pulled."),
        (Reply.errors(401, "UNAUTHORIZED"), Mark.NO, "a/b:1 may not be pulled."),
        (Reply.redirect("http://127.0.0.1:1/blob"), Mark.NO, "It answers, yet a/b:1 could not be asked for."),
        (Reply(500), Mark.NO, "It answers, yet a/b:1 could not be asked for."),
        (Reply(429, headers={"Retry-After": "3600", **LEFT}), Mark.NO, "It wants to be asked less just now."),
    ],
)
def test_what_came_of_an_image_is_said(hostile: Hostile, answer: Reply, mark: Mark, sentence: str) -> None:
    hostile.on("GET", "/v2/", BASE)
    hostile.on("HEAD", "/v2/a/b/manifests/1", answer)
    registry = at(hostile.url, "a/b:1")

    assert registry.capability("problem") == ""
    (said,) = [finding for finding in findings(registry) if finding.topic == "Pull"]
    assert (said.mark, said.sentence) == (mark, sentence)


def test_wrong_credentials_are_the_only_thing_said(hub: Hostile) -> None:
    hub.on("GET", "/token", Reply.errors(401, "UNAUTHORIZED"))
    registry = at(hub.url, preset="docker-hub", username="mara", password="swordfish")
    assert sentences(registry) == ["It refuses the stored user name and password."]


def test_a_token_service_elsewhere_waits_for_a_yes(hostile: Hostile, other_host: Hostile) -> None:
    hostile.on("GET", "/v2/", BASE)
    hostile.on("HEAD", "/v2/a/b/manifests/1", Reply.challenge(f'Bearer realm="{other_host.url}/token"'))
    registry = at(hostile.url, "a/b:1", username="mara", password="swordfish")
    assert (registry.capability("problem"), registry.capability("realm")) == ("foreign-realm", other_host.url)
    assert other_host.requests == []


def test_a_proxy_that_lets_nobody_in_is_said(hostile: Hostile) -> None:
    with ForwardProxy("Basic xyz") as proxy:
        registry = at(hostile.url, proxy=proxy.url)
    assert sentences(registry) == ["Its proxy does not let Berth through."]
    probe(registry)
    assert sentences(registry) == ["It cannot be reached by its proxy."]


def test_a_real_registry_is_listed_and_lists_its_tags(real_registry: RealRegistry, push: Pusher) -> None:
    push.image("1.0")
    before = sorted(real_registry.storage.rglob("*"))
    registry = at(real_registry.url, push.repository)

    assert sentences(registry) == [
        f"Reachable, behaves like distribution {real_registry.generation}.",
        "Asks nobody who they are: whoever reaches it may read it.",
        f"{push.repository} may be pulled.",
        "It lists its repositories, so rules may choose them by patterns.",
    ]
    assert sorted(real_registry.storage.rglob("*")) == before
    probe(registry, f"{push.repository}:1.0")
    assert f"{push.repository}:1.0 may be pulled." in sentences(registry)
    probe(registry, f"{push.repository}:2.0")
    assert f"It lets us in, and has no {push.repository}:2.0." in sentences(registry)


def test_a_real_registry_that_is_locked_knows_whom_it_lets_in(locked: RealRegistry) -> None:
    registry = at(locked.url, username=USERNAME, password=PASSWORD)
    assert "Asks for basic auth, and lets the stored user in." in sentences(registry)
    services.edit(registry, Details(url=locked.url, plain_http=True))
    registry.refresh_from_db()
    probe(registry)
    assert sentences(registry) == ["It asks for a user name and a password."]


def test_what_is_no_image_is_not_asked_for(hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", BASE)
    registry = at(hostile.url, "../x:1")
    assert registry.capability("problem") == "invalid-name"
    assert {asked.path for asked in hostile.requests} == {"/v2/"}


def test_one_that_wants_to_be_left_alone_is(hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", BASE)
    hostile.on("HEAD", "/v2/a/b/manifests/1", Reply(429, headers={"Retry-After": "3600"}))
    registry = at(hostile.url, "a/b:1")
    assert [asked.path for asked in hostile.requests][-1] == "/v2/a/b/manifests/1"
    assert "Catalog" not in [finding.topic for finding in findings(registry)]


def test_one_that_lists_for_longer_than_anybody_waits_is_asked_by_name(hub: Hostile) -> None:
    hub.on("GET", "/v2/_catalog", Raw(b""))
    registry = at(hub.url, preset="docker-hub")

    assert registry.capability("problem") == ""
    assert "It does not list its repositories to us: rules name each that is copied." in sentences(registry)


def test_a_host_that_is_called_proxy_is_none(hostile: Hostile) -> None:
    registry = services.add(Details(url=hostile.url, plain_http=True, role="source"))
    registry.realm = "http://proxy.invalid/token"
    hostile.on("GET", "/v2/", Reply.challenge(f'Bearer realm="{registry.realm}",service="s"'))

    probe(registry)

    (finding,) = findings(registry)
    assert (finding.short, finding.sentence) == ("Unreachable", "It does not answer.")


@pytest.mark.parametrize("role", ["source", "catalog"])
def test_an_authority_that_cannot_be_read_is_a_fault_of_the_settings(hostile: Hostile, role: str) -> None:
    registry = services.add(Details(url=hostile.url, plain_http=True, role=role))
    registry.ca = "/no/such/authority.pem"

    probe(registry)

    (finding,) = findings(registry)
    assert (finding.mark, finding.short, finding.cure) == (Mark.NO, "Settings", "Edit it.")
    assert finding.why.startswith("the file /no/such/authority.pem of the certificate authority cannot be used")
    assert hostile.asked() == []
