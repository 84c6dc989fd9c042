"""Whatever whoever pushed an image wrote in it is text in every answer, and comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Manifest, Presence, Repository
from tests.web import furniture as make

CORPUS = [
    "<script>alert(1)</script>",
    '"}],"items":[{"name":"x',
    "\\u0022 \\ \\\\n",
    "\u202egnp.exe \u2028 \u2029",
    "한국어 🚢",
    "\x7f \x1b[31m red",
    "line\r\nSet-Cookie: a=b",
]


def texts(value: Any) -> list[str]:
    """Every text in an answer, names among them."""
    if isinstance(value, dict):
        return [*value, *(text for inner in value.values() for text in texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("text", CORPUS)
def test_fields_of_an_image_are_text(client: Client, app: Repository, text: str) -> None:
    settings = make.config(
        author=text,
        history=[{"created_by": f"RUN {text}", "comment": text}, {"created_by": text, "empty_layer": True}],
        run={
            "User": text,
            "Env": [f"NAME={text}"],
            "Cmd": [text],
            "Entrypoint": [text],
            "WorkingDir": text,
            "Volumes": {text: {}},
            "ExposedPorts": {text: {}},
            "Labels": {text: text},
            "StopSignal": text,
        },
    )
    built = make.image([("a", 5)], settings, more={"annotations": {text: text}})
    make.put(app, built, "1.0", state=Presence.State.INCOMPLETE, problem=text)
    response = client.get(f"/api/v1/repositories/local/team/app/-/manifests/{built.row.digest}")
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.content.isascii()
    # author, user, variable, command, entrypoint, directory, volume, port, signal, label and annotation with their
    # names, two steps, a comment, the problem
    assert sum(text in found for found in texts(response.json())) >= 17


@pytest.mark.parametrize("text", CORPUS)
def test_problems_of_lists_and_jobs_are_text(client: Client, app: Repository, text: str) -> None:
    app.state, app.problem = Repository.State.FAILED, text
    app.save()
    odd = make.image(config_state=Manifest.ConfigState.MALFORMED, config_problem=text, artifact_type=text)
    make.put(app, odd, "1.0", state=Presence.State.INCOMPLETE, problem=text)
    make.lose_tag(app, "lost", text)
    make.job(app.registry, title=text, message=text, progress={"phase": text})

    def count(path: str) -> int:
        return texts(client.get(f"/api/v1/{path}").json()).count(text)

    assert count("repositories") == 1
    assert count("repositories/local/team/app") == 1
    assert count("repositories/local/team/app/-/tags") == 3
    assert count(f"repositories/local/team/app/-/manifests/{odd.row.digest}") == 3
    assert count("jobs") == 3


def test_half_a_character_is_no_fault(client: Client, app: Repository) -> None:
    """A document may name a lone surrogate, which no encoding writes."""
    built = make.image([("a", 5)], b'{"os": "linux", "architecture": "amd64", "author": "\\ud800"}')
    make.put(app, built, "1.0")
    response = client.get(f"/api/v1/repositories/local/team/app/-/manifests/{built.row.digest}")
    assert response.status_code == 200


@pytest.mark.parametrize("query", ["q=%ff%fe", "q=%25%5f", "q=%F0%9F%9A%A2", "namespace=..%2f..", "q='%20OR%201=1--"])
@pytest.mark.parametrize("path", ["repositories", "repositories/local/team/app/-/tags"])
def test_a_hostile_query_finds_nothing(client: Client, app: Repository, path: str, query: str) -> None:
    body = client.get(f"/api/v1/{path}?{query}").json()
    assert body["items"] == []
    assert body["next"] is None


def test_what_is_asked_besides_is_left_alone_and_cannot_break_the_header(client: Client, app: Repository) -> None:
    make.repository(app.registry, "team/other")
    response = client.get("/api/v1/repositories?limit=1&x=%0d%0aA:b%3e;rel=next")
    assert response.status_code == 200
    assert "\n" not in response["Link"]
    assert response["Link"].count(">") == 1
