from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from registry_ui.mail import mail_settings


@pytest.mark.parametrize(
    ("address", "host", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.org", "mail.example.org", 587, True, False),
        ("smtp://mail.example.org:25?tls=none", "mail.example.org", 25, False, False),
        ("smtps://mail.example.org/", "mail.example.org", 465, False, True),
        ("smtp://user:pass@127.0.0.1:1025?tls=none", "127.0.0.1", 1025, False, False),
    ],
)
def test_an_address_is_a_server(address: str, host: str, port: int, tls: bool, ssl: bool) -> None:
    told = mail_settings(address)

    assert (told["EMAIL_HOST"], told["EMAIL_PORT"]) == (host, port)
    assert (told["EMAIL_USE_TLS"], told["EMAIL_USE_SSL"]) == (tls, ssl)


def test_a_password_may_hold_any_character() -> None:
    told = mail_settings("smtp://a%40b:p%3A%2F%40@mail.example.org")

    assert (told["EMAIL_HOST_USER"], told["EMAIL_HOST_PASSWORD"]) == ("a@b", "p:/@")


@pytest.mark.parametrize(
    "address",
    [
        "mail.example.org",
        "http://u:CANARY@mail.example.org",
        "smtp://u:CANARY@",
        "smtp://u:CANARY@mail.example.org:port",
        "smtp://u:CANARY@mail.example.org/path",
        "smtp://u:CANARY@mail.example.org?tls=maybe",
        "smtp://u:CANARY@mail.example.org?tls=none",
        "smtp://u:CANARY@mail.example.org?starttls",
        "smtp://u:CANARY@mail.example.org?other=1",
    ],
)
def test_what_is_wrong_is_said_without_the_password(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="BERTH_EMAIL_URL cannot be used") as raised:
        mail_settings(address)

    assert "CANARY" not in str(raised.value)
    assert raised.value.__suppress_context__
