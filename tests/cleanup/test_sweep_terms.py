"""The address of a cache is a secret like any other."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from pytest_django import Settings

from cleanup.models import SweepTerms
from registries.models import Registry
from registries.rotation import rotate_credentials
from tests.web import furniture as make

OLD, NEW, OTHER = (Fernet.generate_key() for _ in range(3))
URL = "redis://:hunter2@cache:6379/0"

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def local(settings: Settings) -> Registry:
    settings.CREDENTIALS_KEYS = [OLD]
    registry = make.registry("local")
    SweepTerms.objects.create(registry=registry, cache="redis", redis_url=URL)
    return registry


def test_it_is_encrypted_anew_with_all_others(local: Registry, settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = [NEW, OLD]
    assert rotate_credentials() == (1, [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT redis_url FROM cleanup_sweepterms")
        (token,) = cursor.fetchone()
    assert Fernet(NEW).decrypt(token).decode() == URL


def test_one_that_no_key_opens_is_named_by_its_registry_and_stays(local: Registry, settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = [OTHER]
    assert rotate_credentials() == (0, ["local"])
    assert SweepTerms.objects.get().redis_url == ""
    settings.CREDENTIALS_KEYS = [OLD]
    assert SweepTerms.objects.get().redis_url == URL
