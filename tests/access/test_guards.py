from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from access.guards import readers_only, signed_in_only, staff_only
from access.models import User

NOBODY = AnonymousUser()
READER = User(username="mara")
STAFF = User(username="jonas", is_staff=True)
LEFT = User(username="gone", is_staff=True, is_active=False)


@readers_only
def readable(request: HttpRequest) -> HttpResponse:
    return HttpResponse("read")


@staff_only
def changeable(request: HttpRequest) -> HttpResponse:
    return HttpResponse("changed")


@signed_in_only
def own(request: HttpRequest) -> HttpResponse:
    return HttpResponse("own")


def asked(by: User | AnonymousUser) -> HttpRequest:
    request = RequestFactory().get("/r/local?page=2")
    request.user = by
    return request


@pytest.mark.parametrize("view", [readable, changeable, own])
def test_whoever_has_not_signed_in_is_sent_there_and_back(view: object) -> None:
    answer = view(asked(NOBODY))  # type: ignore[operator]  # all three are views

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in?next=/r/local%3Fpage%3D2"


def test_a_reader_reads_and_changes_nothing() -> None:
    assert readable(asked(READER)).status_code == 200
    assert own(asked(READER)).status_code == 200
    with pytest.raises(PermissionDenied):
        changeable(asked(READER))


def test_staff_change() -> None:
    assert readable(asked(STAFF)).status_code == 200
    assert changeable(asked(STAFF)).status_code == 200


def test_whoever_left_may_nothing() -> None:
    assert readable(asked(LEFT)).status_code == 302
    with pytest.raises(PermissionDenied):
        changeable(asked(LEFT))


def test_reading_without_signing_in_is_a_setting_and_opens_nothing_else(settings: Settings) -> None:
    settings.ANONYMOUS_READ = True

    assert readable(asked(NOBODY)).status_code == 200
    assert changeable(asked(NOBODY)).status_code == 302
    assert own(asked(NOBODY)).status_code == 302
