from __future__ import annotations

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from api import health


def test_a_process_that_answers_is_alive_whatever_else_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"alive": True})


@pytest.mark.django_db
def test_ready_tells_which_check_fails_and_nothing_more() -> None:
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "checks": {"database": True, "migrations": True, "broker": False}}


@pytest.mark.django_db
def test_ready_when_everything_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.CHECKS, "broker", lambda: True)
    response = Client().get("/readyz")
    assert response.status_code == 200
    assert response.json()["ready"] is True


@pytest.mark.django_db
def test_a_migration_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    MigrationRecorder.Migration.objects.filter(app="catalog").delete()
    assert Client().get("/readyz").json()["checks"]["migrations"] is False


@pytest.mark.django_db
def test_a_database_that_is_gone_is_no_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("password authentication failed for user berth")

    with monkeypatch.context() as broken:
        broken.setattr("django.db.backends.utils.CursorWrapper.execute", fail)
        response = Client().get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] is False
    assert b"password" not in response.content
