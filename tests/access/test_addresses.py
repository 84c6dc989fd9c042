"""Whose wrong passwords are counted: the client's, not the proxy's, and not whoever a client says it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import RequestFactory

from access.addresses import client_address

if TYPE_CHECKING:
    from pytest_django import Settings

PROXY, CLIENT = "10.0.0.1", "192.0.2.7"


def address(forwarded: str | None = None, peer: str = PROXY) -> str | None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


@pytest.mark.parametrize("forwarded", [None, CLIENT, f"{CLIENT}, 203.0.113.1", "nonsense"])
def test_without_a_proxy_the_header_is_the_clients_own(settings: Settings, forwarded: str | None) -> None:
    settings.BEHIND_PROXY = False

    assert address(forwarded) == PROXY


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (CLIENT, CLIENT),
        (f"203.0.113.1,{CLIENT}", CLIENT),
        (f"203.0.113.1, 203.0.113.2 ,  {CLIENT} ", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:0DB8::0001", "2001:db8::1"),
        ("::ffff:192.0.2.7", CLIENT),
        ("fe80::1%eth0", "fe80::1"),
        # What is no address counts as the proxy's, so nobody gets around the hold with it.
        (None, PROXY),
        ("", PROXY),
        (f"{CLIENT},", PROXY),
        ("unknown", PROXY),
        ("_hidden", PROXY),
        ("192.0.2.7 OR 1=1", PROXY),
        ("1" * 5000, PROXY),
        ("\x00", PROXY),
    ],
)
def test_behind_a_proxy_its_own_entry_counts(settings: Settings, forwarded: str | None, expected: str) -> None:
    settings.BEHIND_PROXY = True

    assert address(forwarded) == expected


def test_a_socket_of_the_file_system_has_no_address(settings: Settings) -> None:
    for settings.BEHIND_PROXY in (False, True):
        assert address(peer="") is None
