from __future__ import annotations

import os
import pickle
import ssl
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from oci.faults import CertificateWanted
from oci.tls import InvalidCertificate
from oci.transport import Answer, Endpoint, Transport
from tests.certificates import SelfSigned
from tests.hostile import Hostile, Reply
from tests.oci.conftest import Connect
from tests.real_registry import RealRegistry, generations

PATH = "v2/a/tags/list"
WHERE = f"/{PATH}"


def get(make: Connect, url: str, **settings: Any) -> Answer:
    return make(url, **settings).transport.exchange("GET", PATH)


@pytest.fixture
def server(tmp_path: Path) -> SelfSigned:
    return SelfSigned.made(tmp_path / "server")


@pytest.fixture
def alice(tmp_path: Path) -> SelfSigned:
    return SelfSigned.made(tmp_path / "alice")


@contextmanager
def asking(server: SelfSigned, alice: SelfSigned) -> Iterator[Hostile]:
    """It lets only Alice in."""
    with Hostile(server.files) as host:
        assert host._context
        host._context.verify_mode = ssl.CERT_REQUIRED
        host._context.load_verify_locations(alice.certificate)
        yield host


@pytest.mark.parametrize("generation", generations())
def test_a_registry_that_asks_for_a_certificate_gets_it(
    generation: str,
    server: SelfSigned,
    alice: SelfSigned,
    tmp_path: Path,
    connect: Connect,
) -> None:
    text, key = alice.certificate.read_text(), alice.key.read_text()
    with RealRegistry(tmp_path / "registry", generation, tls=server.files, clients=alice.files) as registry:
        ca = str(server.certificate)
        for certificate, its_key in (
            (text, key),
            (str(alice.certificate), str(alice.key)),
            (str(alice.certificate), key),
            (alice.pem, None),
            (key + text, ""),
        ):
            client = connect(registry.url, ca=ca, client_certificate=certificate, client_key=its_key)
            assert client.ping().api_version == "registry/2.0"


@pytest.mark.parametrize("generation", generations())
@pytest.mark.parametrize("shown", ["none", "another"])
def test_a_registry_that_wants_another_certificate_is_understood(  # noqa: PLR0913, PLR0917  all of them are the case
    shown: str,
    generation: str,
    server: SelfSigned,
    alice: SelfSigned,
    tmp_path: Path,
    connect: Connect,
) -> None:
    settings = {"client_certificate": server.pem} if shown == "another" else {}
    with RealRegistry(tmp_path / "registry", generation, tls=server.files, clients=alice.files) as registry:
        for _ in range(5):
            client = connect(registry.url, ca=str(server.certificate), **settings)
            with pytest.raises(CertificateWanted, match=r"^GET v2/: it wants a client certificate that it trusts$"):
                client.ping()
            assert client.transport.sent == 1  # the next try would fare no better


def test_why_it_hung_up_is_heard_also_by_who_is_still_speaking(
    server: SelfSigned,
    alice: SelfSigned,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sendall = ssl.SSLSocket.sendall

    def late(self: ssl.SSLSocket, data: Any, flags: int = 0) -> None:
        time.sleep(0.05)
        sendall(self, data, flags)

    monkeypatch.setattr(ssl.SSLSocket, "sendall", late)
    with asking(server, alice) as registry, pytest.raises(CertificateWanted):
        get(connect, registry.url, ca=str(server.certificate))


def test_another_origin_is_not_shown_the_certificate(
    server: SelfSigned,
    alice: SelfSigned,
    connect: Connect,
) -> None:
    settings: dict[str, Any] = {"ca": str(server.certificate), "client_certificate": alice.pem}
    with asking(server, alice) as registry, asking(server, alice) as other:
        registry.on("GET", WHERE, Reply.redirect("/moved"))
        registry.on("GET", "/moved", Reply.redirect(f"{other.url}/cdn"))
        other.on("GET", "/cdn", Reply(200, b"hello"))

        with pytest.raises(CertificateWanted):
            get(connect, registry.url, **settings)

        assert [asked.target for asked in registry.requests] == [WHERE, "/moved"]
        assert other.requests == []


@pytest.mark.parametrize("is_home", [True, False])
def test_a_token_service_is_shown_the_certificate_only_where_the_registry_is(
    is_home: bool,
    server: SelfSigned,
    alice: SelfSigned,
    connect: Connect,
) -> None:
    settings: dict[str, Any] = {"ca": str(server.certificate), "client_certificate": alice.pem}
    with asking(server, alice) as registry, asking(server, alice) as other:
        service = registry if is_home else other
        challenge = Reply.challenge(f'Bearer realm="{service.url}/token",service="x"')
        registry.on("GET", WHERE, challenge, Reply(200, b"hello"))
        service.on("GET", "/token", Reply.json({"token": "t"}))

        if is_home:
            assert get(connect, registry.url, realm=service.url, **settings).content == b"hello"
        else:
            with pytest.raises(CertificateWanted, match=f"GET {other.url}/token: it wants a client certificate"):
                get(connect, registry.url, realm=service.url, **settings)

        assert other.requests == []


def test_other_clients_do_not_show_the_certificate(server: SelfSigned, alice: SelfSigned, connect: Connect) -> None:
    with asking(server, alice) as registry:
        registry.on("GET", WHERE, Reply(200, b"hello"))
        get(connect, registry.url, ca=str(server.certificate), client_certificate=alice.pem)

        with pytest.raises(CertificateWanted):
            get(connect, registry.url, ca=str(server.certificate))


def test_a_certificate_that_cannot_be_used_is_told_without_its_key(
    server: SelfSigned,
    alice: SelfSigned,
    tmp_path: Path,
) -> None:
    certificate, key = alice.certificate.read_text(), alice.key.read_text()
    body = "".join(key.splitlines()[1:-1])
    cases: list[tuple[str | None, str | None, str]] = [
        (certificate, server.key.read_text(), "the key does not belong to the client certificate"),
        (certificate, alice.locked(b"sesame"), "the key of the client certificate is encrypted"),
        (certificate, None, "the client certificate has no key"),
        (None, key, "no client certificate that it belongs to"),
        (certificate, key.replace(body[:20], "x" * 20), "cannot be read"),
        (certificate, body, "the key of the client certificate is neither PEM text nor the path"),
        (body, key, "the client certificate is neither PEM text nor the path"),
        (certificate, "\0", "neither"),
        (certificate, str(tmp_path), "neither"),
        (key, key, "cannot be read"),
        ("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", key, "cannot be read"),
    ]
    for shown, its_key, sentence in cases:
        with pytest.raises(InvalidCertificate, match=sentence) as error:
            Transport(Endpoint("https://registry.test", client_certificate=shown, client_key=its_key))
        told = "".join(traceback.format_exception(error.value))
        assert body[:20] not in told + repr(error.value) + str(vars(error.value))
        assert (error.value.__cause__, error.value.__context__) == (None, None)
        assert pickle.loads(pickle.dumps(error.value)).text == error.value.text  # noqa: S301  our own


def test_a_certificate_is_not_for_plain_http(alice: SelfSigned) -> None:
    with pytest.raises(InvalidCertificate, match="only be shown over https"):
        Transport(Endpoint("http://127.0.0.1", client_certificate=alice.pem))


@pytest.mark.parametrize("memory", [True, False])
def test_a_key_leaves_no_file_behind(
    memory: bool,
    alice: SelfSigned,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    if not memory:
        monkeypatch.delattr(os, "memfd_create")
    before = list(Path("/proc/self/fd").iterdir())

    Transport(Endpoint("https://registry.test", client_certificate=alice.pem)).close()

    assert list(folder.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before)
