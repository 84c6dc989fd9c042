"""The block by which a registry tells Berth what happens; that registries take it, tests of the API show."""

from __future__ import annotations

import json

import pytest

from registries import notifications

BERTH = "https://berth.example.org"


@pytest.mark.parametrize(
    ("generation", "file"), [(2, "/etc/docker/registry/config.yml"), (3, "/etc/distribution/config.yml")]
)
def test_the_block_says_all_that_has_to_be_said(generation: int, file: str) -> None:
    block = notifications.block(BERTH, "local", "s3cret", generation)

    assert file in block.splitlines()[1]
    assert 'url: "https://berth.example.org/api/v1/events/local"' in block
    assert 'Authorization: ["Bearer s3cret"]' in block
    assert "includereferences: true" in block


def test_the_three_forms_say_the_same() -> None:
    section = notifications.configuration(BERTH, "local", "s3cret")
    references, endpoints = notifications.variables(BERTH, "local", "s3cret").splitlines()

    assert references == "REGISTRY_NOTIFICATIONS_EVENTCONFIG_INCLUDEREFERENCES=true"
    assert json.loads(endpoints.partition("=")[2]) == section["endpoints"]
    for name, value in section["endpoints"][0].items():
        if isinstance(value, str | int):
            assert f"{name}: " in notifications.block(BERTH, "local", "s3cret", 3)
            assert str(value) in notifications.block(BERTH, "local", "s3cret", 3)


@pytest.mark.parametrize(
    ("berth", "said", "unsaid"),
    [
        ("http://127.0.0.1:8000", "http://host.docker.internal:8000", "unencrypted"),
        ("http://localhost", "http://host.docker.internal,", "unencrypted"),
        ("http://[::1]:8000", "host.docker.internal:8000", "unencrypted"),
        ("http://berth.example.org", "travels unencrypted", "host.docker.internal"),
        ("https://berth.example.org", "trust the certificate of berth.example.org", "unencrypted"),
    ],
)
def test_each_address_has_its_remarks(berth: str, said: str, unsaid: str) -> None:
    remarks = " ".join(notifications.remarks(berth))

    assert said in remarks
    assert unsaid not in remarks
    assert "redirect" in remarks
