"""What is sent to a webhook, and what it may do to us: a server that answers as no honest one would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from notices.models import Attempt, Notice, Subscription
from notices.targets import Allowed
from notices.webhook import Told, post
from registries.rotation import rotate_credentials
from tests.certificates import SelfSigned
from tests.hostile import Hostile, Raw, Reply
from tests.notices import furniture as make
from tests.notices.test_signing import example

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def told(target: str, **fields: Any) -> Told:
    to = make.recipient(target, **fields)
    return post(to, make.notice(to, "entry-7"))


def test_it_gets_a_signed_cloud_event(hostile: Hostile, loopback: None, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://berth.example.org"
    hostile.on("POST", "/hook", Reply(204))
    to = make.recipient(f"{hostile.url}/hook?key=1")

    assert post(to, make.notice(to, "entry-7")) == Told(status=204)

    (asked,) = hostile.asked()
    assert asked.target == "/hook?key=1"
    assert asked.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert asked.headers["webhook-id"] == "entry-7"
    assert example()(dict(asked.headers), asked.body, to.secret)
    event = json.loads(asked.body)
    assert event.pop("time").endswith("Z")
    assert event == {
        "specversion": "1.0",
        "id": "entry-7",
        "source": "https://berth.example.org",
        "type": "io.berth.test",
        "subject": "deployer",
        "datacontenttype": "application/json",
        "data": {"kind": "test", "name": "deployer", "actor": "mara", "url": "https://berth.example.org/notices"},
    }


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int, hostile: Hostile, other_host: Hostile, loopback: None) -> None:
    hostile.on("POST", "/", Reply.redirect(other_host.url, status))

    assert told(hostile.url).fault == f"it was answered with {status}: redirects are not followed"
    assert other_host.connections == 0


@pytest.mark.parametrize("status", [400, 401, 404, 410, 500, 503])
def test_only_2xx_is_yes(status: int, hostile: Hostile, loopback: None) -> None:
    hostile.on("POST", "/", Reply(status, b"no\x00\x1b[31m way"))

    how = told(hostile.url)

    assert (how.fault, how.status, how.answer) == (f"it was answered with {status}", status, "no[31m way")
    assert how.is_gone == (status == 410)


def test_how_long_it_wants_to_be_left_alone_is_read(hostile: Hostile, loopback: None) -> None:
    hostile.on("POST", "/", Reply(429, headers={"Retry-After": "120"}))

    assert told(hostile.url).asked == 120


def test_an_endless_answer_is_left_after_its_beginning(hostile: Hostile, loopback: None) -> None:
    hostile.on("POST", "/", Reply(200, b"x" * 5_000_000, announced=10**12))

    how = told(hostile.url)

    assert (how.fault, how.answer) == ("", "x" * 500)


def test_an_answer_that_drips_holds_nobody_up(hostile: Hostile, loopback: None) -> None:
    hostile.on("POST", "/", Reply(200, b"y" * 400, pause=0.1))

    assert told(hostile.url) == Told(status=200)  # and what dripped was not waited for


def test_headers_that_drip_end_with_the_time_for_it(hostile: Hostile, loopback: None) -> None:
    hostile.on("POST", "/", Raw(b"HTTP/1.1 200 OK\r\nX: " + b"z" * 1_000, pause=0.1))

    over = {f"POST {hostile.url}: {words}" for words in ("the time for it is over", "no answer in time")}
    assert told(hostile.url).fault in over


@pytest.mark.parametrize("raw", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_a_fault(raw: bytes, hostile: Hostile, loopback: None) -> None:
    hostile.on("POST", "/", Raw(raw))

    assert told(hostile.url).fault.startswith(f"POST {hostile.url}: ")


def test_nobody_there_is_a_fault(loopback: None) -> None:
    assert told("http://127.0.0.1:1/secret").fault == "POST http://127.0.0.1:1: connection refused"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_a_private_address_is_refused_however_it_is_written(host: str, hostile: Hostile, settings: Settings) -> None:
    for target in (f"https://{host}:{hostile.port}/", f"http://{host}:{hostile.port}/"):
        assert told(target).fault.endswith(("does not name it", "targets names", "TARGETS names"))

    assert hostile.connections == 0


def test_a_name_that_leads_inside_is_refused_by_its_address(hostile: Hostile, settings: Settings) -> None:
    """The network that is allowed is another one than that to which the name leads."""
    settings.NOTICE_PRIVATE_TARGETS = Allowed.parse(["10.0.0.0/8"])

    assert "not a public one" in told(f"https://localhost:{hostile.port}/").fault
    assert hostile.connections == 0


@pytest.mark.parametrize("address", ["169.254.169.254", "[fe80::1]", "224.0.0.1", "0.0.0.0"])  # noqa: S104  refused
def test_metadata_is_refused_even_where_it_is_allowed(address: str, settings: Settings) -> None:
    settings.NOTICE_PRIVATE_TARGETS = Allowed.parse(["0.0.0.0/0", "::/0"])

    assert "cloud metadata" in told(f"http://{address}/latest/meta-data").fault


def test_a_proxy_of_the_environment_hears_nothing(
    hostile: Hostile, other_host: Hostile, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other_host.url)
    hostile.on("POST", "/", Reply(200))

    assert told(hostile.url).fault == ""
    assert other_host.connections == 0


def test_a_certificate_is_checked(tmp_path: Path, loopback: None) -> None:
    made = SelfSigned.made(tmp_path / "tls")
    with Hostile((made.certificate, made.key)) as server:
        server.on("POST", "/", Reply(200))

        assert "no trusted TLS connection" in told(server.url).fault
        assert server.asked() == []
        assert told(server.url, ca=made.certificate.read_text()).fault == ""


def test_what_no_key_opens_is_a_fault(loopback: None, hostile: Hostile) -> None:
    assert "cannot be deciphered" in told("").fault
    assert "cannot be deciphered" in told(hostile.url, secret="").fault
    assert hostile.connections == 0


def test_a_new_key_encrypts_the_secrets_of_recipients_too(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.CREDENTIALS_KEYS = [old]
    to = make.recipient("https://hooks.example.org/", name="deployer")
    settings.CREDENTIALS_KEYS = [new, old]

    assert rotate_credentials() == (2, [])

    settings.CREDENTIALS_KEYS = [new]
    kept = Subscription.objects.get()
    assert (kept.target, kept.secret) == (to.target, to.secret)


def test_neither_address_nor_secret_is_stored_in_clear() -> None:
    to = make.recipient("https://hooks.example.org/CANARY")

    with_column = Subscription.objects.extra(select={"raw": "target", "key": "secret"})
    assert "CANARY" not in with_column.get().raw  # type: ignore[attr-defined]
    assert to.secret not in with_column.get().key  # type: ignore[attr-defined]
    assert to.place == "https://hooks.example.org"
    assert Notice.objects.count() == Attempt.objects.count() == 0
