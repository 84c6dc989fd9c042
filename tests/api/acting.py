"""Acting through the API as a script does: with the cookies of a session and the token that goes with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from django.http import HttpResponse
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client

from access.models import User
from tests.api.asking import ROOT, shaped


@dataclass(frozen=True)
class Hand:
    client: Client

    @classmethod
    def of(cls, person: User) -> Self:
        client = Client(enforce_csrf_checks=True)
        client.force_login(person)
        return cls(client)

    def post(self, path: str, body: object = None, *, key: str | None = None) -> Any:
        """The answer to a POST; without a body where there is none."""
        return self.ask("POST", path, body, key=key)

    def put(self, path: str, body: object) -> Any:
        return self.ask("PUT", path, body)

    def delete(self, path: str, *, key: str | None = None) -> Any:
        return self.ask("DELETE", path, key=key)

    def ask(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Any:
        content = "" if body is None or method == "DELETE" else json.dumps(body)
        return self.client.generic(
            method, f"{ROOT}{path}", content, "application/json" if content else "", headers=self.headers(key)
        )

    def did(self, response: HttpResponse, status: int, shape: Any) -> Any:
        """What an act came to, in the documented shape."""
        assert response.status_code == status, response.content
        assert "no-store" in response["Cache-Control"]
        return shaped(response, shape)

    def headers(self, key: str | None = None) -> dict[str, str]:
        """The token is in a cookie from the sign-in on."""
        if "csrftoken" not in self.client.cookies:
            self.client.cookies["csrftoken"] = _get_new_csrf_string()
        token = {"X-CSRFToken": self.client.cookies["csrftoken"].value}
        return token if key is None else {**token, "Idempotency-Key": key}
