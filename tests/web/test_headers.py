from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Repository
from registries.models import Registry
from tests.web import furniture as make

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


@pytest.fixture
def app(local: Registry) -> Repository:
    app = make.repository(local, "team/app")
    make.put(app, make.image(settings=b"<html><script>alert(1)</script>"), "1.0")
    return app


def policy(response: Any) -> dict[str, str]:
    parts = [part.strip() for part in response["Content-Security-Policy"].split(";") if part.strip()]
    return {name: value for name, _, value in (part.partition(" ") for part in parts)}


def check(response: Any) -> None:
    assert policy(response) == POLICY
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/", 200),
        ("/jobs", 200),
        ("/r/local/team/app", 200),
        ("/r/local/team/app/-/tags/1.0", 200),
        ("/account/password", 200),
        ("/sign-in", 302),
        ("/nothing/here", 404),
        ("/registries/add", 403),
        ("/sign-out", 405),
        ("/healthz", 200),
    ],
)
def test_every_answer_carries_the_policy(client: Client, app: Repository, url: str, status: int) -> None:
    response = client.get(url)
    assert response.status_code == status
    check(response)


def test_a_fault_carries_the_policy(client: Client, app: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    client.raise_request_exception = False
    monkeypatch.setattr("web.views.repositories.tree_at", break_down)
    response = client.get("/")
    assert response.status_code == 500
    check(response)
    assert b"broken on purpose" not in response.content


def test_raw_bytes_are_saved_and_never_shown(client: Client, app: Repository) -> None:
    digest = app.presences.get().manifest.digest
    for part in ("raw", "config"):
        response = client.get(f"/r/local/team/app/-/manifests/{digest}/{part}")
        assert response.status_code == 200
        assert response["Content-Type"] == "application/octet-stream"
        assert response["Content-Disposition"].startswith("attachment; filename=")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert response.content == b"<html><script>alert(1)</script>"
