from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.test import Client
from pydantic import TypeAdapter

from api.problems import Problem
from catalog.models import Repository
from registries.models import Registry
from tests.web import furniture as make

ROOT = "/api/v1"
HEX = "a" * 64


def check(response: Any, status: int) -> Problem:
    """A problem as RFC 9457 has it, for whoever asked alone."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    assert "default-src 'none'" in response["Content-Security-Policy"]
    body = TypeAdapter(Problem).validate_python(response.json(), strict=True)
    assert body == response.json()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v2/repositories",
        ROOT,
        f"{ROOT}/",
        f"{ROOT}/nothing",
        f"{ROOT}/search/nothing",
        f"{ROOT}/repositories/",
        f"{ROOT}/repositories/local",
        f"{ROOT}/repositories/local/team/app/",
        f"{ROOT}/repositories/local/team/none",
        f"{ROOT}/repositories/none/team/app",
        f"{ROOT}/repositories/local/Team/App",
        f"{ROOT}/repositories/local/../../etc/passwd",
        f"{ROOT}/repositories/local/team%2f..%2fapp",
        f"{ROOT}/repositories/local/team/app%00",
        f"{ROOT}/repositories/local/team/app%0d%0aX-A:b",
        f"{ROOT}/repositories/local/team/app/-",
        f"{ROOT}/repositories/local/team/app/-/tags/",
        f"{ROOT}/repositories/local/team/app/-/tags/1.0/nothing",
        f"{ROOT}/repositories/local/team/app/-/manifests/1.0",
        f"{ROOT}/repositories/local/team/app/-/manifests/sha256:abc",
        f"{ROOT}/repositories/local/team/app/-/manifests/sha256:{HEX}",
        f"{ROOT}/repositories/local/team/app/-/manifests/sha256:{HEX.upper()}",
        f"{ROOT}/jobs/0",
        f"{ROOT}/jobs/-1",
        f"{ROOT}/jobs/none",
        f"{ROOT}/jobs/99999999999999999999",
        f"{ROOT}/jobs/{'9' * 400}",
    ],
)
def test_what_is_not_there_is_a_problem_and_no_page(client: Client, app: Repository, path: str) -> None:
    body = check(client.get(path), 404)
    assert body["title"] == "Not Found"
    assert body["instance"].startswith("/api")


def test_pages_keep_their_own_errors(client: Client) -> None:
    assert "text/html" in client.get("/nothing/here")["Content-Type"]
    assert "text/html" in client.get("/apis")["Content-Type"]


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("/repositories", "limit=0", "limit"),
        ("/repositories", "limit=201", "limit"),
        ("/repositories", "limit=many", "limit"),
        ("/repositories", "sort=colour", "sort"),
        ("/repositories", "sort=name;drop", "sort"),
        ("/repositories", "state=lost", "state"),
        ("/repositories", "q=%00", "q"),
        ("/repositories", "q=" + "x" * 256, "q"),
        ("/repositories", "namespace=a%0a", "namespace"),
        ("/repositories", "registry=%1b", "registry"),
        ("/repositories", "cursor=AAAA", "cursor"),
        ("/repositories", "cursor=%00", "cursor"),
        ("/repositories", "cursor=" + "A" * 2001, "cursor"),
        ("/repositories/local/team/app/-/tags", "digest=sha256:abc", "digest"),
        ("/repositories/local/team/app/-/tags", f"digest=md5:{HEX[:32]}", "digest"),
        ("/repositories/local/team/app/-/tags", "digest=", "digest"),
        ("/repositories/local/team/app/-/tags", "sort=size", "sort"),
        ("/repositories/local/team/app/-/tags", "state=problems", "state"),
        ("/repositories/local/team/app/-/tags", "q=%7f", "q"),
        ("/jobs", "limit=-1", "limit"),
        ("/activity", "act=nonsense", "act"),
        ("/jobs", "cursor=x", "cursor"),
    ],
)
def test_a_parameter_without_a_meaning_is_named(
    client: Client, app: Repository, path: str, query: str, parameter: str
) -> None:
    response = client.get(f"{ROOT}{path}?{query}")
    body = check(response, 422)
    assert [error["parameter"] for error in body["errors"]] == [parameter]
    assert all(error["detail"] for error in body["errors"])


def test_what_was_asked_is_not_said_back(client: Client, db: None) -> None:
    assert "hunter2" not in client.get(f"{ROOT}/repositories?limit=hunter2").content.decode()


def test_a_cursor_of_another_order_is_refused(client: Client, local: Registry) -> None:
    for number in range(3):
        make.repository(local, f"team/app-{number}")
    following = client.get(f"{ROOT}/repositories?limit=1&sort=name").json()["next"]
    assert client.get(following).status_code == 200
    body = check(client.get(following.replace("sort=name", "sort=-name")), 422)
    assert body["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", ["/repositories", "/jobs", "/activity", "/openapi.json", "/docs"])
def test_what_is_only_read_takes_nothing_else(staff_client: Client, app: Repository, method: str, path: str) -> None:
    response = getattr(staff_client, method)(f"{ROOT}{path}")
    check(response, 405)
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD"}


def test_another_method_is_told_which_there_are(staff_client: Client, db: None) -> None:
    response = staff_client.put(f"{ROOT}/plans")
    check(response, 405)
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_a_condition_that_does_not_hold_is_a_problem(client: Client, app: Repository) -> None:
    check(client.get(f"{ROOT}/repositories", headers={"If-Match": '"another"'}), 412)


def test_a_host_that_is_not_ours(client: Client) -> None:
    body = check(client.get(f"{ROOT}/repositories", headers={"Host": "evil.example.org"}), 400)
    assert "evil" not in str(body)


def test_what_is_forbidden(client: Client, app: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object, **__: object) -> None:
        raise PermissionDenied("for a reason of ours")

    monkeypatch.setattr("api.repositories.page_of", deny)
    assert "reason of ours" not in str(check(client.get(f"{ROOT}/repositories"), 403))


def test_a_mistake_of_ours_leaks_nothing(client: Client, app: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    client.raise_request_exception = False
    monkeypatch.setattr("api.repositories.page_of", fail)
    response = client.get(f"{ROOT}/repositories")
    assert "secret" not in str(check(response, 500))


def test_a_database_that_is_away_is_said_to_be(
    client: Client, app: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("password authentication failed for user berth")

    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr("django.db.backends.utils.CursorWrapper.execute", fail)
        response = client.get(f"{ROOT}/repositories")
    assert "password" not in str(check(response, 503))
    assert response["Retry-After"] == "10"


def test_who_may_not_read_is_told_so_and_led_nowhere(app: Repository) -> None:
    for path in ("/repositories", "/repositories/local/team/app", "/repositories/local/none", "/jobs", "/openapi.json"):
        response = Client().get(f"{ROOT}{path}")
        check(response, 401)
        assert response["WWW-Authenticate"].startswith("Cookie ")
        assert "Location" not in response


def test_who_may_not_read_learns_nothing_of_parameters(app: Repository) -> None:
    check(Client().get(f"{ROOT}/repositories?limit=0"), 401)
