"""The pages of sources: who may see and change what, what a test says, and where the password does not go."""

from __future__ import annotations

import base64
import gzip

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.models import User
from audit.models import Entry
from registries import services
from registries.details import Details
from registries.limits import Limits
from registries.models import Registry
from sync import details as sync
from sync import rules
from sync.models import Rule, Run
from sync.sources import StillUsed, remove
from tests.hostile import Hostile, Reply
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.web import furniture as make
from tests.web.pages import Page
from tests.web.test_hostile_text import CORPUS, check

pytestmark = pytest.mark.django_db(databases="__all__")

CANARY = "CANARY-7f3"
LIMITS = {"at_once": "3", "requests_per_second": "", "bytes_per_second": "1.5", "quota_floor": "10"}


@pytest.fixture
def hub(db: None) -> Registry:
    return services.add(
        Details(
            "https://registry-1.docker.io",
            "hub",
            username="the-user",
            password=CANARY,
            proxy=f"http://someone:{CANARY}@proxy.example.org:3128",
            role="source",
            preset="docker-hub",
            limits=Limits(at_once=3, quota_floor=10),
        )
    )


@pytest.fixture
def rule(hub: Registry, local: Registry, staff: User) -> Rule:
    return rules.save(sync.Details("alpine", "hub", ("library/alpine",), "local", into="mirror/{name}"), staff)


def shown(client: Client, path: str) -> Page:
    answer = client.get(path)
    assert answer.status_code == 200
    return Page(answer.content.decode())


def form(**said: str) -> dict[str, str]:
    return {"url": "https://registry.example.net", "username": "", "password": "", **LIMITS, **said}


def test_no_source_yet_offers_the_well_known_ones(staff_client: Client) -> None:
    page = shown(staff_client, "/sync/sources")

    for key in ("docker-hub", "ghcr", "quay", "kubernetes", "gcr", "ecr-public", "mcr", "any"):
        assert f"/sync/sources/add?preset={key}" in page.links
    assert "It counts each manifest that is pulled" in page.words


def test_a_reader_is_offered_nothing_to_add(client: Client) -> None:
    assert not [link for link in shown(client, "/sync/sources").links if "/add" in link]


def test_a_preset_fills_the_form(staff_client: Client) -> None:
    page = shown(staff_client, "/sync/sources/add?preset=quay")

    values = {found["name"]: found.get("value", "") for found in page.all("input") if "name" in found}
    assert values["url"] == "https://quay.io"
    assert (values["at_once"], values["requests_per_second"]) == ("3", "2.0")
    assert "It wants few requests a second." in page.words


def test_an_unknown_preset_is_none(staff_client: Client) -> None:
    assert "/sync/sources/add?preset=quay" in shown(staff_client, "/sync/sources/add?preset=nothing").links


def test_the_list_says_what_is_left_and_who_copies(staff_client: Client, hub: Registry, rule: Rule) -> None:
    found = {"pull": "there", "quota": {"remaining": 76, "limit": 100, "window": 21_600}}
    Registry.objects.filter(pk=hub.pk).update(capabilities=found)

    words = shown(staff_client, "/sync/sources").words

    assert "Docker Hub · https://registry-1.docker.io" in words
    assert "as the-user" in words
    assert "76 pulls of 100 in 6 hours are left." in words
    assert "3 at once" in words
    assert "leaves 10 pulls" in words
    assert "Rules 1" in words


def test_ours_are_listed_apart_where_rules_copy_from_them(client: Client, local: Registry, staff: User) -> None:
    assert "Ours that rules copy from" not in shown(client, "/sync/sources").words
    rules.save(sync.Details("inner", "local", ("base/python",), "local", into="out/{name}"), staff)
    assert "Ours that rules copy from" in shown(client, "/sync/sources").words


def test_a_reader_does_not_see_who_we_are(client: Client, hub: Registry) -> None:
    page = shown(client, "/sync/sources")
    assert "the-user" not in page.words
    assert "/sync/sources/hub" not in page.links


def test_no_page_shows_a_password(staff_client: Client, hub: Registry, rule: Rule) -> None:
    for path in ("/sync/sources", "/sync/sources/hub", "/sync/sources/hub/remove", "/sync/sources/add?preset=any"):
        assert CANARY not in staff_client.get(path).content.decode()
    typed = form(url="ftp://x", username="alice", password=CANARY, proxy=f"http://u:{CANARY}@p:1", client_key=CANARY)
    for path in ("/sync/sources/add", "/sync/sources/hub"):
        answer = staff_client.post(path, typed)
        assert answer.status_code == 422
        assert "begins with https://" in answer.content.decode()
        assert CANARY not in answer.content.decode()


def test_added_it_is_tested_and_says_what_was_found(
    staff_client: Client, real_registry: RealRegistry, staff: User
) -> None:
    Pusher(real_registry.url, "library/alpine").image("3.20")
    said = form(url=real_registry.url, plain_http="on", name="upstream")

    answer = staff_client.post("/sync/sources/add", said, follow=True)

    registry = Registry.objects.get()
    assert (registry.role, registry.preset) == (Registry.Role.SOURCE, "any")
    assert Limits.of(registry) == Limits(at_once=3, bytes_per_second=1_500_000, quota_floor=10)
    words = Page(answer.content.decode()).words
    assert "upstream is added." in words
    assert "It lists its repositories" in words
    entry = Entry.objects.get(act=Entry.Act.REGISTRY_ADD)
    assert (entry.actor, entry.registry) == ("staff", "upstream")

    asked = staff_client.post("/sync/sources/upstream/test", {"image": "library/alpine:3.20"}, follow=True)
    assert "library/alpine:3.20 may be pulled." in Page(asked.content.decode()).words


def test_what_is_no_image_is_not_asked_for(staff_client: Client, hostile: Hostile) -> None:
    make.registry("upstream", url=hostile.url, plain_http=True, role=Registry.Role.SOURCE)
    answer = staff_client.post("/sync/sources/upstream/test", {"image": "Library/../x:"}, follow=True)
    assert "An image is a repository" in Page(answer.content.decode()).words
    assert hostile.requests == []


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("at_once", "99", "Between 1 and 32 requests can be under way at once."),
        ("requests_per_second", "0.001", "Give between 0.1 and 1,000 requests per second."),
        ("bytes_per_second", "0.001", "Give at least 10,000 bytes per second, or nothing for no limit."),
        ("quota_floor", "-1", "Between 0 and 1,000,000 pulls can stay unspent."),
        ("proxy", "socks5://x", "A proxy is http://host:port, or http://user:password@host:port."),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_field(
    staff_client: Client, field: str, value: str, sentence: str
) -> None:
    answer = staff_client.post("/sync/sources/add", form(**{field: value}))

    assert answer.status_code == 422
    page = Page(answer.content.decode())
    assert page.all("div", id=f"id_{field}_error")
    assert sentence in page.words
    assert not Registry.objects.exists()


def test_a_preset_is_where_its_address_is(staff_client: Client) -> None:
    """Whichever card somebody came from: another's token service is not trusted with the password."""
    staff_client.post("/sync/sources/add?preset=docker-hub", form(url="http://127.0.0.1:1", plain_http="on"))
    registry = Registry.objects.get()
    assert (registry.preset, registry.realm) == ("any", "")


def test_an_empty_password_keeps_the_stored_one_at_its_address_alone(
    staff_client: Client, hub: Registry, hostile: Hostile
) -> None:
    Registry.objects.filter(pk=hub.pk).update(url="http://127.0.0.1:1", plain_http=True, proxy="")
    same = form(url="http://127.0.0.1:1", plain_http="on", name="hub", username="the-user")
    staff_client.post("/sync/sources/hub", same)
    hub.refresh_from_db()
    assert (hub.password, hub.preset) == (CANARY, "docker-hub")

    hostile.on("GET", "/v2/", Reply.challenge('Basic realm="r"'))
    staff_client.post("/sync/sources/hub", {**same, "url": hostile.url})
    hub.refresh_from_db()
    assert (hub.url, hub.username, hub.password, hub.preset) == (hostile.url, "", "", "any")
    secret = base64.b64encode(f"the-user:{CANARY}".encode()).decode()
    assert hostile.requests
    assert not [asked for asked in hostile.requests if secret in asked.headers.get("Authorization", "")]


def test_a_proxy_is_kept_and_forgotten(staff_client: Client, hub: Registry) -> None:
    Registry.objects.filter(pk=hub.pk).update(url="http://127.0.0.1:1", plain_http=True)
    hub.refresh_from_db()
    before = hub.proxy
    same = form(url="http://127.0.0.1:1", plain_http="on", name="hub", username="the-user")
    Registry.objects.filter(pk=hub.pk).update(proxy="http://127.0.0.1:1")  # which nobody answers at
    staff_client.post("/sync/sources/hub", same)
    hub.refresh_from_db()
    assert before
    assert hub.proxy == "http://127.0.0.1:1"
    staff_client.post("/sync/sources/hub", {**same, "remove_proxy": "on"})
    hub.refresh_from_db()
    assert hub.proxy == ""


def test_its_token_service_waits_for_a_yes(staff_client: Client, hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply.challenge('Bearer realm="http://127.0.0.2:9/token",service="s"'))
    said = form(url=hostile.url, plain_http="on", name="upstream", username="u", password=CANARY)

    answer = staff_client.post("/sync/sources/add", said, follow=True)

    page = Page(answer.content.decode())
    assert "Send its credentials to 127.0.0.2:9?" in page.words
    staff_client.post("/sync/sources/upstream/trust", {"realm": "http://127.0.0.9:9/token"})
    assert Registry.objects.get().realm == ""
    (realm,) = page.all("input", name="realm")
    staff_client.post("/sync/sources/upstream/trust", {"realm": realm["value"]})
    assert Registry.objects.get().realm == "http://127.0.0.2:9"


def test_one_that_rules_use_stays(staff_client: Client, hub: Registry, rule: Rule, staff: User) -> None:
    assert "Rules copy from it: alpine." in shown(staff_client, "/sync/sources/hub/remove").words
    answer = staff_client.post("/sync/sources/hub/remove")
    assert answer.status_code == 409
    hub.refresh_from_db()
    assert (hub.retired_at, hub.password) == (None, CANARY)


def test_one_that_is_copied_from_stays(hub: Registry, local: Registry, staff: User) -> None:
    run = Run.objects.create(source=hub, target=local, terms={}, state=Run.State.WAITING)
    with pytest.raises(StillUsed, match="under way"):
        remove(hub, staff)
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE)
    remove(hub, staff)
    assert Run.objects.filter(pk=run.pk).exists()
    with pytest.raises(StillUsed, match="one of ours"):
        remove(local, staff)


def test_one_that_is_removed_is_forgotten_and_may_come_back(staff_client: Client, hub: Registry) -> None:
    answer = staff_client.post("/sync/sources/hub/remove", follow=True)

    assert "hub is forgotten." in Page(answer.content.decode()).words
    hub.refresh_from_db()
    assert hub.retired_at is not None
    assert (hub.password, hub.proxy, hub.username) == ("", "", "")
    assert Entry.objects.filter(act=Entry.Act.REGISTRY_REMOVE, actor="staff").count() == 1
    assert staff_client.get("/sync/sources/hub").status_code == 404
    again = services.add(Details(hub.url, role="source"))
    assert (again.pk, again.name) == (hub.pk, "hub")


def test_one_of_ours_is_no_source(staff_client: Client, local: Registry) -> None:
    for path in ("", "/remove"):
        assert staff_client.get(f"/sync/sources/local{path}").status_code == 404
    for path in ("/test", "/trust", "/remove"):
        assert staff_client.post(f"/sync/sources/local{path}").status_code == 404


@pytest.mark.parametrize("text", CORPUS)
def test_what_a_source_says_is_text(staff_client: Client, text: str) -> None:
    """In the reason of a fault, in the user name and in the image that was asked for."""
    found = {"problem": "unreachable", "reason": text, "auth": text, "image": text}
    one = make.registry("one", role=Registry.Role.SOURCE, username=text, capabilities=found)
    make.registry("two", role=Registry.Role.SOURCE, capabilities={"problem": "", "pull": "there", "image": text})
    for path in ("/sync/sources", "/sync/sources/one", "/sync/sources/two", "/sync/sources/one/remove"):
        check(shown(staff_client, path))
    assert text in shown(staff_client, f"/sync/sources/{one.name}").text


def test_twelve_cost_as_many_queries_as_two(staff_client: Client, local: Registry) -> None:
    def asked(sources: int) -> int:
        for number in range(sources):
            make.registry(f"s{sources}-{number}", role=Registry.Role.SOURCE)
        with CaptureQueriesContext(connection) as queries:
            page = staff_client.get("/sync/sources")
        assert len(gzip.compress(page.content)) < 10_000
        return len(queries)

    assert asked(2) == asked(10) <= 10
