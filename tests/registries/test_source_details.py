"""What a person may say of a registry that is copied from: what it is for, its limits and its proxy."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from pytest_django import Settings

from audit.models import Entry
from registries import services
from registries.clients import client_for, hasty_client_for
from registries.limits import Limits
from registries.models import Registry
from registries.probing import probe
from registries.services import Details, RegistryNotSaved
from tests.hostile import Hostile, Reply
from tests.proxying import ForwardProxy
from tests.registries.reading import read

pytestmark = pytest.mark.django_db

HUB = "https://registry-1.docker.io"
CANARY = "CANARY-7f3"
PROXY = f"http://mara:{CANARY}@proxy.example.org:3128"
LIMITS = Limits(at_once=3, requests_per_second=2.5, bytes_per_second=1_000_000, quota_floor=10)


def made(**said: Any) -> Registry:
    usual = {"url": HUB, "name": "hub", "role": "source", "preset": "docker-hub", "limits": LIMITS}
    return services.add(Details(**{**usual, **said}))


def edited(registry: Registry, **said: Any) -> Registry:
    return services.edit(registry, Details(**{"url": registry.url} | said)).registry


def kept(registry: Registry) -> Registry:
    return Registry.objects.get(pk=registry.pk)


def test_a_source_is_kept_as_it_was_said() -> None:
    row = kept(made(proxy=PROXY))
    assert (row.role, row.preset, row.proxy, Limits.of(row)) == ("source", "docker-hub", PROXY, LIMITS)
    assert row.realm == "https://auth.docker.io/token"


def test_where_nothing_is_said_it_is_ours_and_has_no_limits() -> None:
    row = kept(services.add(Details(url="https://registry.example.org")))
    assert (row.role, row.preset, row.proxy, Limits.of(row)) == ("catalog", "", "", Limits())
    assert row.realm == ""


def test_only_at_its_own_address_is_the_token_service_of_the_well_known_one_pinned() -> None:
    assert kept(made(url="https://mirror.example.org")).realm == ""


def test_what_is_not_said_stays() -> None:
    registry = made(proxy=PROXY)
    row = kept(edited(registry, public_name="docker.io"))
    assert (row.role, row.preset, row.proxy, Limits.of(row)) == ("source", "docker-hub", PROXY, LIMITS)


def test_what_is_said_is_changed_and_taken_back() -> None:
    registry = made(proxy=PROXY)
    row = kept(edited(registry, proxy="", preset="", limits=Limits(quota_floor=1)))
    assert (row.preset, row.proxy, Limits.of(row)) == ("", "", Limits(quota_floor=1))


def test_how_it_is_reached_has_to_be_tested_anew() -> None:
    registry = made()
    for said in ({"proxy": PROXY}, {"preset": "any"}):
        Registry.objects.update(capabilities={"generation": 2})
        edited(registry, **said)
        assert kept(registry).capabilities == {}


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("role", {"role": "mirror"}),
        ("preset", {"preset": "nonsense"}),
        ("proxy", {"proxy": f"https://mara:{CANARY}@proxy.example.org"}),
        ("proxy", {"proxy": f"http://mara:{CANARY}@proxy.example.org:3128/path"}),
        ("at_once", {"limits": Limits(at_once=0)}),
        ("at_once", {"limits": Limits(at_once=33)}),
        ("requests_per_second", {"limits": Limits(requests_per_second=0.0)}),
        ("requests_per_second", {"limits": Limits(requests_per_second=float("inf"))}),
        ("requests_per_second", {"limits": Limits(requests_per_second=float("nan"))}),
        ("bytes_per_second", {"limits": Limits(bytes_per_second=9_999)}),
        ("quota_floor", {"limits": Limits(quota_floor=-1)}),
    ],
)
def test_what_cannot_be_meant_is_refused(field: str, said: dict[str, Any]) -> None:
    with pytest.raises(RegistryNotSaved) as refusal:
        made(**said)

    assert refusal.value.field == field
    assert CANARY not in str(refusal.value)
    assert refusal.value.__context__ is None
    assert not Registry.objects.exists()


def test_the_audit_names_the_fields_and_the_database_holds_no_password() -> None:
    registry = made()
    edited(registry, proxy=PROXY, limits=Limits(at_once=2))
    assert Entry.objects.order_by("pk").values_list("detail", flat=True).last() == (
        "proxy, at_once, requests_per_second, bytes_per_second, quota_floor"
    )
    assert not [entry for entry in Entry.objects.values() if CANARY in str(entry)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT proxy FROM registries_registry")
        assert CANARY not in cursor.fetchone()[0]
    assert CANARY not in repr(Details(url=HUB, proxy=PROXY))


def test_two_at_one_address_are_refused_whatever_they_are_for() -> None:
    made()
    with pytest.raises(RegistryNotSaved, match="hub is at that address already"):
        services.add(Details(url=HUB, name="ours"))


def test_a_source_at_another_address_is_the_same_row_without_what_was_given_for_the_old_one() -> None:
    registry = made(username="mara", password=CANARY, proxy=PROXY)
    said = services.edit(registry, Details(url="https://mirror.example.org", username="mara"))

    row = kept(registry)
    assert (said.registry.pk, said.left, row.url, row.role) == (
        registry.pk,
        None,
        "https://mirror.example.org",
        "source",
    )
    assert (row.username, row.password, row.realm, row.preset) == ("", "", "", "")
    assert row.proxy == PROXY  # which is ours, and keeps its own password to itself


def test_one_of_ours_never_becomes_a_source() -> None:
    ours = services.add(Details(url=HUB, name="ours"))
    with pytest.raises(RegistryNotSaved) as refusal:
        edited(ours, role="source")
    assert refusal.value.field == "role"


def test_a_source_may_become_ours() -> None:
    registry = made()
    edited(registry, role="catalog")
    assert list(Registry.objects.active()) == [registry]


def test_a_retired_one_of_ours_does_not_come_back_as_a_source() -> None:
    ours = services.add(Details(url=HUB, name="ours"))
    read(ours)
    services.retire(ours, give_up_name=True)
    source = made()
    assert source.pk != ours.pk
    assert kept(ours).role == "catalog"


def test_one_that_retires_forgets_its_proxy() -> None:
    registry = made(proxy=PROXY)
    services.retire(registry, give_up_name=True)
    assert kept(registry).proxy == ""


def test_the_proxy_goes_along_to_another_registry() -> None:
    ours = services.add(Details(url="https://a.example.org", name="ours", proxy=PROXY))
    assert edited(ours, url="https://b.example.org").proxy == PROXY


def test_its_clients_go_by_its_proxy(hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply.json({}))
    with ForwardProxy() as proxy:
        registry = made(url=hostile.url, plain_http=True, proxy=proxy.url.replace("//", f"//mara:{CANARY}@"))
        for client in (client_for(registry), hasty_client_for(registry, 30)):
            with client:
                client.ping()
        assert len(proxy.heads) == 2
        assert CANARY not in str(hostile.requests)
    probe(registry)
    assert registry.capability("problem") == "unreachable"
    assert "the proxy cannot be reached" in registry.capability("reason")
    assert CANARY not in str(registry.capabilities)


def test_of_a_proxy_only_its_place_is_shown() -> None:
    assert kept(made(proxy=PROXY)).proxy_shown == "proxy.example.org:3128"
    assert Registry(name="x").proxy_shown == ""


def test_a_proxy_that_no_key_opens_is_not_gone_past(hostile: Hostile, settings: Settings) -> None:
    registry = made(url=hostile.url, plain_http=True, proxy=PROXY)
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    row = kept(registry)
    probe(row)

    assert row.capability("problem") == "invalid-name"
    assert (row.proxy_shown, hostile.requests) == ("", [])
    assert kept(edited(row, plain_http=True, proxy="")).proxy == ""
