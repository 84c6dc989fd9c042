from __future__ import annotations

import ipaddress

import pytest

from notices.targets import Allowed, Forbidden, is_public
from oci.urls import Origin

PUBLIC = ("93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e")
PRIVATE = (
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104  refused
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::127.0.0.1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2002:7f00:1::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "::ffff:127.0.0.1",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(Forbidden, match="not a public one"):
        Allowed().barred(Origin("https", "a.example", 443))(ipaddress.ip_address(address))


def test_a_host_that_is_named_may_be_anywhere() -> None:
    allowed = Allowed.parse(["Hooks.lab", "10.20.0.0/16"])

    assert not allowed.barred(Origin("http", "hooks.lab", 80))(ipaddress.ip_address("192.168.0.9"))
    assert not allowed.barred(Origin("https", "other.lab", 443))(ipaddress.ip_address("10.20.3.4"))
    with pytest.raises(Forbidden):
        allowed.barred(Origin("https", "other.lab", 443))(ipaddress.ip_address("10.21.3.4"))


def test_plain_http_is_for_what_is_named_alone() -> None:
    allowed = Allowed.parse(["10.20.0.0/16"])

    assert not allowed.may_be(Origin("http", "93.184.215.14", 80))
    assert allowed.may_be(Origin("http", "10.20.0.1", 80))
    assert allowed.may_be(Origin("http", "some.lab", 80))  # its address is judged when it is known
    assert not Allowed().may_be(Origin("http", "some.lab", 80))
    with pytest.raises(Forbidden, match="http://"):
        allowed.barred(Origin("http", "some.lab", 80))(ipaddress.ip_address("93.184.215.14"))


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/33"):
        Allowed.parse(["10.0.0.0/33"])
