from __future__ import annotations

import json
import time

import pytest

from registry_ui.logs import redact


@pytest.mark.parametrize(
    "sentence",
    [
        "It refuses the user name and password given. Look at BERTH_REGISTRY_USER and BERTH_REGISTRY_PASSWORD.",
        "user name and password Look at the address",
        "The password travels unencrypted.",
        "It asks for a token of auth.example.org.",
        "Asks for basic auth, and lets the stored user in.",
        "Basic authentication is off; a bearer certificate is not a token.",
        'WWW-Authenticate: Bearer realm="https://auth.example.org/token",service="registry"',
        "GET /token?service=registry&scope=repository:a:pull",
        "CSRF token missing.",
        "BERTH_REGISTRY_PASSWORD_FILE=/run/secrets/registry cannot be used",
        "Authorization is needed.",
        "the secret of the registry",
        "http://127.0.0.1:8000/a/b@sha256:abc",
    ],
)
def test_a_sentence_stays_as_it_is(sentence: str) -> None:
    assert redact(sentence) == sentence


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:s3cret@host/0", "redis://:***@host/0"),
        ("postgres://joe:s3cret@host/name", "postgres://joe:***@host/name"),
        ("password=s3cret&user=joe", "password=***&user=joe"),
        ("password: s3cret", "password: ***"),
        ("BERTH_REGISTRY_PASSWORD=s3cret", "BERTH_REGISTRY_PASSWORD=***"),
        ("BERTH_SECRET_KEY='s3cret and more'", "BERTH_SECRET_KEY='***'"),
        ('{"password": "s3cret and more", "user": "joe"}', '{"password": "***", "user": "joe"}'),
        ('{"access_token":"s3cret"}', '{"access_token":"***"}'),
        (r'{"message": "{\"token\": \"s3cret\"}"}', r'{"message": "{\"token\": \"***\"}"}'),
        ("{'refresh_token': 's3cret'}", "{'refresh_token': '***'}"),
        ("Authorization: Basic czNjcmV0", "Authorization: Basic ***"),
        ("Authorization: Bearer abcdefghs3cret", "Authorization: Bearer ***"),
        ("Proxy-Authorization: s3cret", "Proxy-Authorization: ***"),
        ("{'Authorization': 'Bearer abcdefghs3cret'}", "{'Authorization': 'Bearer ***'}"),
        ("sent Basic YWxpY2U6czNjcmV0 there", "sent Basic *** there"),
        ("sent bearer eyJhbGciOi.s3cret.x there", "sent bearer *** there"),
    ],
)
def test_a_secret_goes(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize("text", ["token" * 13_000, "token:" * 10_000, "bearer " + "a" * 60_000, 'secret="' * 8_000])
def test_a_long_line_is_no_burden(text: str) -> None:
    began = time.monotonic()
    redact(text)

    assert time.monotonic() - began < 5


def test_json_without_secrets_stays_json() -> None:
    line = json.dumps({"message": "token service at https://auth.example.org: it answers", "level": "info"})

    assert redact(line) == line
