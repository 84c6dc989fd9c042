"""Asking the API as a script does, and holding what it answers against what its documentation says."""

from __future__ import annotations

from typing import Any

from django.test import Client
from pydantic import TypeAdapter

ROOT = "/api/v1"


def ask(client: Client, path: str, shape: Any, **query: str | int) -> Any:
    """The answer to GET; it has the documented shape, nothing missing and nothing besides."""
    response = client.get(f"{ROOT}{path}", query)
    assert response.status_code == 200, response.content
    return shaped(response, shape)


def shaped(response: Any, shape: Any) -> Any:
    """The body, which is of the documented shape."""
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert TypeAdapter(shape).validate_python(body, strict=True) == body  # what is not documented would be left out
    return body


def names(body: Any) -> list[str]:
    return [item["name"] for item in body["items"]]


def walk(client: Client, path: str, **query: str | int) -> tuple[list[list[Any]], list[list[Any]]]:
    """The pages as `next` leads through them, and as `previous` leads back."""
    body = client.get(f"{ROOT}{path}", query).json()
    forward = [body["items"]]
    while body["next"]:
        body = client.get(body["next"]).json()
        forward.append(body["items"])
    back = [body["items"]]
    while body["previous"]:
        body = client.get(body["previous"]).json()
        back.append(body["items"])
    return forward, back
