"""What people do to registries is in the audit: who, when, and which fields, never what they held."""

from __future__ import annotations

import pytest

from audit.models import Entry
from registries import event_secrets, services
from registries.details import Details
from registries.models import Registry
from tests.web import furniture as make

pytestmark = pytest.mark.django_db

URL = "https://registry.example.org"


def noted() -> list[tuple[str, str, str]]:
    return list(Entry.objects.order_by("pk").values_list("act", "actor", "detail"))


def test_each_change_names_its_fields_and_no_value() -> None:
    mara = make.person("mara", staff=True)
    registry = services.add(Details(url=URL, name="main"), by=mara)
    said = Details(url=URL, name="main", username="robot", password="swordfish", public_name="r.example.org")
    services.edit(registry, said, by=mara)
    services.edit(Registry.objects.get(), said, by=mara)  # nothing is new
    assert noted() == [
        ("registry-add", "mara", ""),
        ("registry-change", "mara", "public_name, username, password"),
    ]
    assert {(entry.registry, entry.actor_id) for entry in Entry.objects.all()} == {("main", mara.pk)}
    assert not [entry for entry in Entry.objects.values() if "swordfish" in str(entry)]


def test_another_address_is_noted_with_the_new_registry() -> None:
    registry = services.add(Details(url=URL, name="main"))
    services.edit(registry, Details(url="https://other.example.org", name="main"))
    assert noted() == [("registry-add", "", ""), ("registry-change", "", "url")]


def test_secrets_are_noted_as_they_come_and_go() -> None:
    mara, registry = make.person("mara", staff=True), make.registry("main")
    secret = event_secrets.issue(registry, mara)
    (kept,) = event_secrets.live(registry)
    assert event_secrets.revoke(registry, kept.pk, mara)
    assert not event_secrets.revoke(registry, kept.pk, mara)
    assert noted() == [("secret-issue", "mara", ""), ("secret-revoke", "mara", "")]
    assert not [entry for entry in Entry.objects.values() if secret in str(entry)]
