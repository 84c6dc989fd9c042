"""The tables of what people call things: types of artifacts, predicates, variables that may hold a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from catalog import artifact_types
from catalog.artifact_types import file_named, type_of
from catalog.predicates import predicate_in, predicate_named
from catalog.secret_names import may_hold_secret

IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"


@pytest.mark.parametrize(
    ("artifact_type", "name"),
    [
        ("application/vnd.cncf.helm.config.v1+json", "Helm chart"),
        ("application/vnd.wasm.config.v0+json", "WebAssembly module"),
        ("application/vnd.cncf.model.manifest.v1+json", "Model"),
        ("application/vnd.docker.ai.model.config.v0.1+json", "Model, Docker"),
        ("application/vnd.ollama.image.model", "Ollama model"),
        ("application/vnd.buildkit.cacheconfig.v0", "Build cache"),
        ("application/vnd.cncf.flux.config.v1+json", "Flux manifests"),
        ("application/vnd.cncf.openpolicyagent.config.v1+json", "Policies, Open Policy Agent"),
        ("application/vnd.devcontainers", "Dev container feature"),
        ("application/vnd.sylabs.sif.config.v1+json", "Singularity image"),
        ("application/spdx+json", "SBOM, SPDX"),
        ("application/vnd.cyclonedx+json", "SBOM, CycloneDX"),
        ("application/vnd.cncf.notary.signature", "Signature, Notation"),
        ("application/vnd.dev.cosign.artifact.sig.v1+json", "Signature, cosign"),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", "Sigstore bundle"),
        ("application/vnd.in-toto+json", "Attestation, in-toto"),
    ],
)
def test_an_artifact_is_called_what_people_call_it(artifact_type: str, name: str) -> None:
    found = type_of(artifact_type)
    assert found is not None
    assert str(found.name) == name


def test_layers_and_annotations_tell_where_the_type_does_not() -> None:
    bottle = type_of(IMAGE_CONFIG, ["application/vnd.oci.image.layer.v1.tar+gzip"], ["sh.brew.bottle.digest"])
    policy = type_of("", ["application/vnd.cncf.openpolicyagent.policy.layer.v1+rego"])
    assert bottle is not None
    assert str(bottle.name) == "Homebrew bottle"
    assert policy is not None
    assert str(policy.name) == "Policies, Open Policy Agent"


def test_what_nobody_knows_has_no_name() -> None:
    assert type_of("application/vnd.example.thing") is None
    assert type_of("") is None
    assert type_of(IMAGE_CONFIG, ["application/wasm", "application/spdx+json"]) is None
    assert file_named("application/octet-stream") == ""


def test_every_icon_of_the_table_is_there() -> None:
    icons = (Path(settings.BASE_DIR) / "static/icons.svg").read_text()
    for kind in artifact_types._TYPES.values():
        assert f'<symbol id="{kind.icon}" ' in icons


@pytest.mark.parametrize(
    ("predicate", "name"),
    [
        ("https://slsa.dev/provenance/v0.2", "SLSA provenance v0.2"),
        ("https://slsa.dev/provenance/v1", "SLSA provenance v1"),
        ("https://spdx.dev/Document/v2.3", "SBOM, SPDX"),
        ("https://cyclonedx.org/bom", "SBOM, CycloneDX"),
        ("https://openvex.dev/ns/v0.2.0", "OpenVEX statements"),
        ("https://cosign.sigstore.dev/attestation/vuln/v1", "Vulnerability report"),
        ("https://example.org/own", ""),
    ],
)
def test_a_predicate_is_called_what_people_call_it(predicate: str, name: str) -> None:
    assert predicate_named(predicate) == name


def test_a_predicate_stands_in_the_annotations_of_builders() -> None:
    assert predicate_in({"in-toto.io/predicate-type": "a", "predicateType": "b"}) == "a"
    assert predicate_in({"predicateType": "b"}) == "b"
    assert predicate_in({"other": "c"}) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTGRES_PASSWORD", "hunter2"),
        ("DB_PASS", "x!y"),
        ("api_key", "abcdefgh"),
        ("APIKEY", "abcdefgh"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
        ("GITHUB_TOKEN", "abc"),
        ("TOKEN_SIGNING", "abc"),
        ("ANYTHING", "AKIAIOSFODNN7EXAMPLE"),
        ("ANYTHING", "ghp_" + "a" * 36),
        ("DATABASE_URL", "postgres://app:hunter2@db:5432/app"),
        ("KEY", "-----BEGIN RSA PRIVATE KEY-----"),
        ("JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc"),
    ],
)
def test_what_looks_like_a_secret_is_flagged(name: str, value: str) -> None:
    assert may_hold_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/bin"),
        ("GPG_KEY", "7169605F62C751356D054A26A821E680E5FA6305"),
        ("POSTGRES_PASSWORD_FILE", "/run/secrets/db"),
        ("POSTGRES_PASSWORD", ""),
        ("TOKEN_TTL", "3600"),
        ("USE_TOKEN", "true"),
        ("DB_PASSWORD", "$DB_PASS"),
        ("SECRETS_DIR", "anything"),
        ("PWD", "app"),
        ("COMPASS", "north"),
        ("PYTHON_SHA256", "e3b0c44298fc1c149afbf4c8996fb924"),
        ("URL", "https://example.org/a@b"),
        ("MONKEY", "banana"),
    ],
)
def test_what_is_none_is_not(name: str, value: str) -> None:
    assert not may_hold_secret(name, value)
