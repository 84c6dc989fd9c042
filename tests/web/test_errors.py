from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django import Settings

from oci import errors
from registries.models import Registry
from tests.web.pages import Page
from web import middleware
from web.views import errors as views


def read(response: Any) -> str:
    return Page(response.content.decode()).words


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (errors.NotFound.build("GET v2/a/manifests/b", 404, ()), 404, "does not have that"),
        (errors.Unauthorized.build("GET v2/", 401, ()), 502, "does not accept our credentials"),
        (errors.Denied.build("GET v2/", 403, ()), 403, "does not allow that"),
        (errors.Unsupported.build("DELETE v2/a", 405, ()), 409, "REGISTRY_STORAGE_DELETE_ENABLED=true"),
        (errors.TooManyRequests.build("GET v2/", 429, ()), 503, "is busy"),
        (errors.Unreachable("GET v2/: connection refused"), 504, "does not answer"),
        (errors.InvalidName("repository", "A b"), 400, "no name a registry would know"),
        (errors.BadAnswer("<html>"), 502, "makes no sense"),
        (errors.RegistryError("anything else"), 502, "makes no sense"),
    ],
)
def test_a_failing_registry_is_explained(  # noqa: PLR0913, PLR0917  a table and what it is tried on
    client: Client, local: Registry, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, said: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("web.views.repositories.totals_of", fail)
    response = client.get("/")
    words = read(response)
    assert response.status_code == status
    assert said in words
    assert "Nothing was changed." in words
    assert str(error) in Page(response.content.decode()).text


def test_each_kind_of_failure_is_in_the_table_once() -> None:
    kinds = [kind for kind, _, _ in middleware.PAGES]
    for place, kind in enumerate(kinds):
        assert not any(issubclass(kind, before) for before in kinds[:place]), f"{kind} is never reached"


def test_a_fault_needs_no_database(client: Client, local: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("the database is gone")

    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr("django.db.backends.utils.CursorWrapper.execute", fail)
        response = client.get("/")
    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert "cannot use its database" in read(response)
    assert "the database is gone" not in read(response)


def test_a_mistake_of_ours_is_called_one(client: Client, local: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr("web.views.repositories.totals_of", fail)
        response = client.get("/")
    assert response.status_code == 500
    assert "Berth made a mistake" in read(response)
    assert "secret" not in read(response)


def test_a_page_that_is_not_there_says_what_to_try(client: Client) -> None:
    response = client.get("/nothing/here")
    assert response.status_code == 404
    assert "There is nothing at this address" in read(response)
    assert "/nothing/here" not in read(response)


def test_what_only_staff_may_do_says_so(client: Client) -> None:
    response = client.get("/registries/add")
    assert response.status_code == 403
    assert "for staff" in read(response)


def test_a_form_that_expired_says_what_to_try(staff_client: Client, local: Registry) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = staff_client.cookies
    response = client.post("/registries/local/scan")
    assert response.status_code == 403
    assert "This form is no longer valid" in read(response)


def test_a_host_that_is_not_ours_is_refused_without_a_frame(client: Client, settings: Settings) -> None:
    response = client.get("/", headers={"Host": "evil.example.org"})
    assert response.status_code == 400
    assert "BERTH_ALLOWED_HOSTS" in read(response)


def test_the_handlers_need_nothing_of_the_request() -> None:
    request: HttpRequest = RequestFactory().get("/")
    assert views.bad_request(request, ValueError()).status_code == 400
    assert views.fault(request).status_code == 500


def test_a_host_that_is_not_allowed_is_named_with_the_setting_to_change(client: Client) -> None:
    response = client.get("/", headers={"Host": "berth.lab:8000<i>"})
    assert response.status_code == 400
    assert "asked for as berth.lab:8000<i>, which" in read(response)
    assert "<i>" not in response.content.decode()
    for setting in ("BERTH_ALLOWED_HOSTS", "BERTH_PUBLIC_URL"):
        assert setting in read(response)
