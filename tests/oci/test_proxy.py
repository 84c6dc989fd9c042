from __future__ import annotations

import base64

import pytest

from oci.errors import InvalidName
from oci.proxy import Proxy


@pytest.mark.parametrize(
    ("typed", "host", "port", "user"),
    [
        ("http://proxy.test:3128", "proxy.test", 3128, ""),
        (" proxy.test:3128/ ", "proxy.test", 3128, ""),
        ("http://Proxy.test", "proxy.test", 80, ""),
        ("http://[::1]:8080", "[::1]", 8080, ""),
        ("http://mara:sword@10.0.0.1:3128", "10.0.0.1", 3128, "mara:sword"),
        ("http://mara:p%40ss%2Fw%3A@proxy.test:3128", "proxy.test", 3128, "mara:p@ss/w:"),
        ("http://mara:p@ss@proxy.test:3128", "proxy.test", 3128, "mara:p@ss"),
        ("http://mara@proxy.test:3128", "proxy.test", 3128, "mara:"),
    ],
)
def test_what_a_person_types_becomes_a_proxy(typed: str, host: str, port: int, user: str) -> None:
    proxy = Proxy.parse(typed)
    basic = f"Basic {base64.b64encode(user.encode()).decode()}" if user else ""
    assert (proxy.host, proxy.port, proxy.authorization) == (host, port, basic)


@pytest.mark.parametrize(
    "typed",
    ["", "http://", "https://proxy.test:3128", "socks5://proxy.test:1080", "http://proxy.test:3128/path",
     "http://proxy.test:3128?x=y", "http://proxy.test:0", "http://proxy.test:99999", "http://a b:c@proxy.test:3128",
     "http://a:b\r\nX: y@proxy.test:3128", "http://a:ä@proxy.test:3128", "http://a:%zz@proxy.test:3128",
     "file:///etc/passwd", f"http://{'a' * 3000}@proxy.test:3128"],
)  # fmt: skip
def test_what_is_no_proxy_is_refused(typed: str) -> None:
    with pytest.raises(InvalidName):
        Proxy.parse(typed)


def test_its_password_is_not_repeated() -> None:
    with pytest.raises(InvalidName) as refusal:
        Proxy.parse("https://mara:swordfish@proxy.test:3128")
    proxy = Proxy.parse("http://mara:swordfish@proxy.test:3128")

    assert "swordfish" not in f"{refusal.value} {proxy} {proxy!r}"
    assert proxy.authorization.removeprefix("Basic ") not in f"{proxy} {proxy!r}"
