"""The page Events of a registry: a secret that is shown once, and strangers' texts that stay texts."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.models import Delivery, EventStream, Quarantined, Refused
from registries import environment, event_secrets
from registries.models import EventSecret, Registry
from tests.web import furniture as make
from tests.web.pages import Page

pytestmark = pytest.mark.django_db(databases="__all__")

PAGE = "/registries/local/events"
SCRIPT = "<script>alert(1)</script>"
BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{43})")


def see(client: Client, url: str = PAGE, status: int = 200) -> Page:
    response = client.get(url)
    assert response.status_code == status
    return Page(response.content.decode())


def tell(where: Registry, **said: object) -> None:
    now = timezone.now()
    values = {"first_at": now - timedelta(days=1), "last_at": now - timedelta(seconds=30), "handled_at": now, **said}
    EventStream.objects.create(registry_id=where.pk, **values)


def test_a_secret_is_shown_once_and_works(staff_client: Client, local: Registry) -> None:
    response = staff_client.post(PAGE)
    page = Page(response.content.decode())
    (secret,) = set(BEARER.findall(page.text))
    assert "no-store" in response["Cache-Control"]
    assert any(secret in copied for copied in page.copied)
    assert event_secrets.owner("local", f"Bearer {secret}") == local.pk

    again = staff_client.get(PAGE).content.decode()
    assert secret not in again
    assert "Bearer THE-SECRET" in Page(again).text


def test_the_address_that_was_typed_is_in_the_block_that_is_issued(staff_client: Client, local: Registry) -> None:
    url = "https://berth.example.org:8443"
    assert f'url: "{url}/api/v1/events/local"' in see(staff_client, f"{PAGE}?url={url}").text
    text = Page(staff_client.post(PAGE, {"url": url}).content.decode()).text
    assert f'url: "{url}/api/v1/events/local"' in text
    assert BEARER.search(text)


@pytest.mark.parametrize("url", ['http://x"\n- evil', "ftp://x", "javascript:alert(1)", "http://a b", SCRIPT])
def test_what_is_no_address_gets_into_no_block_and_issues_nothing(
    staff_client: Client, local: Registry, url: str
) -> None:
    for response in (staff_client.get(PAGE, {"url": url}), staff_client.post(PAGE, {"url": url})):
        assert response.status_code == 422
        assert url not in response.content.decode()
    assert not EventSecret.objects.exists()


def test_a_secret_is_revoked(staff_client: Client, local: Registry) -> None:
    old, new = event_secrets.issue(local), event_secrets.issue(local)
    before = event_secrets.live(local)[1]
    other = make.registry("other")
    event_secrets.issue(other)
    for key in ("", "x", "9" * 30, str(event_secrets.live(other)[0].pk)):
        response = staff_client.post(f"{PAGE}/revoke", {"secret": key}, follow=True)
        assert "There is no such secret" in response.content.decode()
    staff_client.post(f"{PAGE}/revoke", {"secret": before.pk})
    assert event_secrets.owner("local", f"Bearer {old}") is None
    assert event_secrets.owner("local", f"Bearer {new}") == local.pk
    assert len(event_secrets.live(other)) == 1


def test_a_form_that_a_reload_sends_again_issues_nothing(staff_client: Client, local: Registry) -> None:
    live = event_secrets.issue(local)
    (once,) = see(staff_client).all("input", name="once")
    staff_client.post(PAGE, {"once": once["value"]})
    for _ in range(2):
        again = staff_client.post(PAGE, {"once": once["value"]}, follow=True)
        assert "nothing was done again" in Page(again.content.decode()).words
    assert event_secrets.owner("local", f"Bearer {live}") == local.pk
    assert EventSecret.objects.count() == 2


def test_the_only_secret_is_revoked_when_that_is_meant(staff_client: Client, local: Registry) -> None:
    event_secrets.issue(local)
    (kept,) = event_secrets.live(local)
    page = Page(staff_client.post(f"{PAGE}/revoke", {"secret": kept.pk}).content.decode())
    assert "Revoke the only secret?" in page.words
    assert event_secrets.live(local) == [kept]
    fields = (*page.all("input", name="sure"), *page.all("button", name="secret"))
    sure = {found["name"]: found["value"] for found in fields}
    staff_client.post(f"{PAGE}/revoke", sure)
    assert not event_secrets.live(local)


@pytest.mark.parametrize("embedded", [True, False])
def test_what_the_options_say_is_changed_there(staff_client: Client, settings: Settings, *, embedded: bool) -> None:
    settings.REGISTRY_URL, settings.REGISTRY_EMBEDDED = "http://127.0.0.1:5999", embedded
    settings.REGISTRY_PLAIN_HTTP, settings.REGISTRY_EVENTS_SECRET = True, "s" * 43
    registry = environment.from_environment()
    assert registry is not None
    url = f"/registries/{registry.name}/events"

    page = see(staff_client, url)
    staff_client.post(url)

    assert len(event_secrets.live(registry)) == 1
    assert "Issue a new secret" not in page.text
    assert "Revoke" not in page.text
    assert "s" * 43 not in page.text
    said = "Nothing is to be done" if embedded else "the one that BERTH_REGISTRY_EVENTS_SECRET says"
    assert said in page.words


def test_what_strangers_say_stays_text(staff_client: Client, local: Registry) -> None:
    now = timezone.now()
    tell(local, instance=SCRIPT)
    body = SCRIPT.encode() * 9
    Quarantined.objects.create(registry_id=local.pk, received_at=now, why=SCRIPT, body=body, size=len(body))
    Refused.objects.create(registry="local", address=SCRIPT, count=1, first_at=now, last_at=now)
    page = see(staff_client)
    assert page.text.count(SCRIPT) >= 4
    assert [element for element, attributes in page.elements if element == "script" and "src" not in attributes] == []


def test_the_figures_are_those_of_the_stream(staff_client: Client, local: Registry) -> None:
    event_secrets.issue(local)
    tell(local, handled=48_211, unexplained=7, own=310)
    Delivery.objects.create(registry_id=local.pk, received_at=timezone.now(), body=b"{}", size=2)
    words = see(staff_client).words
    for figure in ("Last event 30 s ago", "Unexplained 7", "Waiting 1", "Handled 48,211", "Berth's own 310"):
        assert figure in words


def test_the_page_costs_ten_queries(staff_client: Client, local: Registry) -> None:
    tell(local)
    for _ in range(9):
        now = timezone.now()
        Quarantined.objects.create(registry_id=local.pk, received_at=now, why="", body=b"{}", size=2)
    with ExitStack() as stack:
        asked = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections]
        see(staff_client)
    assert sum(map(len, asked)) <= 10


def test_a_registry_that_has_retired_has_no_such_page(staff_client: Client, local: Registry) -> None:
    Registry.objects.filter(pk=local.pk).update(retired_at=timezone.now())
    see(staff_client, status=404)


def test_readers_see_on_the_page_of_the_registry_how_fresh_it_is(client: Client, local: Registry) -> None:
    assert "Events none: scans alone find what changes" in see(client, "/registries/local").words
    tell(local)
    page = see(client, "/registries/local")
    assert "Events last 30 s ago" in page.words
    assert PAGE not in page.links


def test_staff_find_the_way_there(staff_client: Client, local: Registry) -> None:
    for url in ("/registries/local", "/registries/local/edit"):
        assert PAGE in see(staff_client, url).links
