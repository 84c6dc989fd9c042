from __future__ import annotations

from typing import Final

import pytest
from django.test import Client
from pytest_django import Settings

from access.models import User
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page

URL: Final = "/r/local/team/app"


def see(client: Client, url: str) -> Page:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode())


@pytest.fixture
def index(local: Registry) -> make.Built:
    app, child = make.repository(local, "team/app"), make.image()
    make.put(app, child)
    built = make.index([("linux/amd64", child)])
    make.put(app, built, "1.0")
    make.settle(app)
    return built


def test_the_tool_is_kept_with_the_person_and_used_everywhere(client: Client, reader: User, index: make.Built) -> None:
    page = f"{URL}/-/tags/1.0?platform=linux/amd64"
    response = client.post("/pull-tool", {"tool": "podman", "next": page}, follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert [
        button["value"] for button in Page(response.content.decode()).all("button", **{"aria-pressed": "true"})
    ] == ["podman"]
    reader.refresh_from_db()
    assert reader.pull_tool == "podman"
    assert "podman pull registry.example.org/team/app:1.0" in see(client, URL).copied


def test_who_has_not_signed_in_keeps_the_tool_in_a_cookie(settings: Settings, index: make.Built) -> None:
    settings.ANONYMOUS_READ = True
    client = Client()
    response = client.post("/pull-tool", {"tool": "crane", "next": f"{URL}/-/tags/1.0"})
    assert response.cookies["pull_tool"]["httponly"]
    assert response.cookies["pull_tool"]["samesite"] == "Lax"
    assert "crane pull --format=oci registry.example.org/team/app:1.0 image" in see(client, f"{URL}/-/tags/1.0").copied
    client.cookies["pull_tool"] = "rm -rf"
    assert "docker pull registry.example.org/team/app:1.0" in see(client, f"{URL}/-/tags/1.0").copied


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_choosing_a_tool_leads_nowhere_else(client: Client, elsewhere: str) -> None:
    assert client.post("/pull-tool", {"tool": "podman", "next": elsewhere})["Location"] == "/"


def test_a_tool_that_is_none_is_not_kept(client: Client, reader: User) -> None:
    for tool in ("", "helm", "$(reboot)", "docker "):
        assert client.post("/pull-tool", {"tool": tool}).status_code == 400
    reader.refresh_from_db()
    assert not reader.pull_tool
