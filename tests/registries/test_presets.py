from __future__ import annotations

import pytest

from oci.endpoint import Endpoint
from oci.names import parse_repository, parse_tag
from registries.addresses import normal_address
from registries.presets import PRESETS, SENTENCES, Preset, preset_at, preset_called

WELL_KNOWN = [preset for preset in PRESETS if preset.url]


@pytest.mark.parametrize(
    "host", ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "Docker.IO"]
)
def test_docker_hub_has_many_names(host: str) -> None:
    hub = preset_at(host)
    assert hub is not None
    assert (hub.key, hub.url, hub.has_quota) == ("docker-hub", "https://registry-1.docker.io", True)


def test_a_host_that_nobody_knows_is_none() -> None:
    assert preset_at("registry.example.org") is None
    assert preset_at("") is None
    assert preset_at("docker.io.example.org") is None


@pytest.mark.parametrize("preset", WELL_KNOWN, ids=lambda preset: preset.key)
def test_what_is_known_of_each_fits_together(preset: Preset) -> None:
    assert preset_called(preset.key) is preset
    assert preset_at(preset.host) is preset
    assert normal_address(preset.url, plain_http=False) == preset.url
    assert preset.limits.wrong() is None
    assert Endpoint(preset.url, realm=preset.realm or None).realms
    repository, _, tag = preset.sample.rpartition(":")
    assert f"{parse_repository(repository)}:{parse_tag(tag)}" == preset.sample


def test_each_has_a_hint_that_can_be_translated() -> None:
    assert {preset.hint for preset in PRESETS} == set(SENTENCES)
