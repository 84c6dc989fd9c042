"""Wrong passwords: ten hold a name for one address, and nobody else."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate, login
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from access.models import User

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def people() -> None:
    User.objects.create_user("mara", password="right")
    User.objects.create_user("jonas", password="right")


def sign_in(username: str, password: str, address: str) -> bool:
    request = RequestFactory().post("/sign-in", REMOTE_ADDR=address)
    user = authenticate(request, username=username, password=password)
    if user is None:
        return False
    request.session = SessionStore()
    login(request, user)
    return True


def fail(times: int, username: str = "mara", address: str = HERE) -> None:
    for _ in range(times):
        assert not sign_in(username, "wrong", address)


def test_nine_wrong_tries_hold_nobody() -> None:
    fail(9)

    assert sign_in("mara", "right", HERE)


def test_ten_wrong_tries_hold_that_name_from_that_address() -> None:
    fail(10)

    assert not sign_in("mara", "right", HERE)
    assert sign_in("mara", "right", ELSEWHERE)
    assert sign_in("jonas", "right", HERE)


def test_a_name_that_nobody_has_is_held_alike() -> None:
    fail(10, "nobody")

    assert not sign_in("nobody", "right", HERE)
    assert sign_in("mara", "right", HERE)


def test_a_right_password_forgets_the_wrong_ones() -> None:
    fail(9)
    assert sign_in("mara", "right", HERE)
    fail(9)

    assert sign_in("mara", "right", HERE)


def test_the_hold_ends_by_itself() -> None:
    fail(10)
    AccessAttempt.objects.update(attempt_time=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5, seconds=1))

    assert sign_in("mara", "right", HERE)


def test_a_forged_forwarded_address_does_not_get_around_the_hold() -> None:
    fail(10)
    request = RequestFactory().post("/sign-in", REMOTE_ADDR=HERE, HTTP_X_FORWARDED_FOR=ELSEWHERE)

    assert authenticate(request, username="mara", password="right") is None


def test_behind_a_proxy_nobody_holds_the_others(settings: Settings) -> None:
    settings.BEHIND_PROXY = True
    proxy = "10.0.0.1"
    for number in range(10):
        forged = f"198.51.100.{number}, {HERE}"
        request = RequestFactory().post("/sign-in", REMOTE_ADDR=proxy, HTTP_X_FORWARDED_FOR=forged)
        assert authenticate(request, username="mara", password="wrong") is None

    for address, expected in ((HERE, False), (ELSEWHERE, True)):
        request = RequestFactory().post("/sign-in", REMOTE_ADDR=proxy, HTTP_X_FORWARDED_FOR=address)
        assert bool(authenticate(request, username="mara", password="right")) is expected


def test_who_keeps_trying_does_not_prolong_the_hold() -> None:
    fail(10)
    almost = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=4, seconds=58)
    AccessAttempt.objects.update(attempt_time=almost)
    fail(3)
    assert AccessAttempt.objects.get().attempt_time == almost
    AccessAttempt.objects.update(attempt_time=almost - dt.timedelta(seconds=3))

    assert sign_in("mara", "right", HERE)


def test_the_hold_is_minutes_not_hours() -> None:
    assert settings.AXES_FAILURE_LIMIT == 10
    assert get_cool_off() == dt.timedelta(minutes=5)
