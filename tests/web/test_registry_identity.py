"""The client certificate in the form of a registry: its key goes in and never out."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from access.models import User
from registries import services
from registries.models import Registry
from registries.services import Details
from tests.certificates import SelfSigned

pytestmark = pytest.mark.django_db

URL = "https://127.0.0.1:1"


@pytest.fixture
def staff() -> Client:
    client = Client()
    person = User.objects.create_user("someone", is_staff=True)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def main() -> Registry:
    return services.add(Details(url=URL, name="main"))


@pytest.fixture
def ours(tmp_path: Path) -> SelfSigned:
    return SelfSigned.made(tmp_path / "ours")


def said(certificate: str, key: str = "") -> dict[str, str]:
    return {"url": URL, "name": "main", "client_certificate": certificate, "client_key": key}


def test_the_key_goes_in_and_never_out(staff: Client, main: Registry, ours: SelfSigned) -> None:
    certificate, key = (path.read_text() for path in ours.files)

    response = staff.post("/registries/main/edit", said(certificate, key), follow=True)

    row = Registry.objects.get()
    assert (row.client_certificate, row.client_key) == (certificate.strip(), key.strip())
    page = response.content.decode()
    assert "BEGIN CERTIFICATE" in page
    assert "PRIVATE KEY" not in page
    assert "One is stored. Leave this empty to keep it." in page

    staff.post("/registries/main/edit", said(certificate))
    row.refresh_from_db()
    assert row.client_key == key.strip()


def test_without_the_certificate_the_key_goes_too(staff: Client, main: Registry, ours: SelfSigned) -> None:
    staff.post("/registries/main/edit", said(*(path.read_text() for path in ours.files)))

    staff.post("/registries/main/edit", said(""))

    row = Registry.objects.get()
    assert (row.client_certificate, row.client_key) == ("", "")


def test_what_does_not_fit_is_said_and_not_sent_back(
    staff: Client, main: Registry, ours: SelfSigned, tmp_path: Path
) -> None:
    other = SelfSigned.made(tmp_path / "other")

    response = staff.post("/registries/main/edit", said(ours.certificate.read_text(), other.key.read_text()))

    assert response.status_code == 422
    assert "PRIVATE KEY" not in response.content.decode()
    assert Registry.objects.get().client_key == ""


def test_a_key_in_the_place_of_the_certificate_is_refused(staff: Client, main: Registry, ours: SelfSigned) -> None:
    response = staff.post("/registries/main/edit", said(ours.pem))

    assert response.status_code == 422
    assert "give it apart" in response.content.decode()
    assert Registry.objects.get().client_certificate == ""


def test_a_form_without_a_folder_keeps_it(staff: Client, main: Registry) -> None:
    Registry.objects.update(storage="/srv/registry")

    staff.post("/registries/main/edit", {"url": URL, "name": "main", "storage": "/etc"})

    assert Registry.objects.get().storage == "/srv/registry"


def test_the_options_may_own_the_folder(staff: Client, main: Registry, settings: object) -> None:
    Registry.objects.update(from_environment=True, storage="/srv/registry")
    settings.REGISTRY_STORAGE = "/srv/registry"  # type: ignore[attr-defined]

    assert staff.get("/registries/main/edit").status_code == 200
