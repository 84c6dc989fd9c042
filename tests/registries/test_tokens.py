"""A real registry with a token service on another host: asked after a yes, and only there."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from registries import services
from registries.findings import findings
from registries.probing import probe
from registries.services import Details
from tests.certificates import SelfSigned, access_of, token_settings
from tests.hostile import Asked, Hostile, Reply
from tests.real_registry import RealRegistry, generations

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("generation", generations())
def test_a_registry_behind_a_token_service(generation: str, tmp_path: Path, other_host: Hostile) -> None:
    signed = SelfSigned.made(tmp_path)

    def give(asked: Asked) -> Reply:
        return Reply.json({"token": signed.token(access_of(parse_qs(asked.query).get("scope", [])))})

    other_host.on("GET", "/token", give)
    token = token_settings(signed, f"{other_host.url}/token")
    with RealRegistry(tmp_path / "registry", generation, token=token) as real:
        details = Details(url=real.url, username="alice", password="CANARY-7f3", plain_http=True)
        registry = services.add(details)
        probe(registry)
        assert registry.capability("problem") == "foreign-realm"
        assert other_host.connections == 0

        services.trust_realm(registry, registry.capability("realm"))
        probe(registry)

    assert registry.capability("problem") == ""
    assert registry.capability("auth") == "bearer"
    assert registry.capability("deletes") is True
    assert (
        findings(registry)[1].sentence == f"Asks for a token of 127.0.0.1:{other_host.port}, and takes the one we get."
    )
    sent = {request.headers["Authorization"] for request in other_host.asked("/token")}
    assert sent == {"Basic " + base64.b64encode(b"alice:CANARY-7f3").decode()}
