"""The pages of registries: who may see and change what, and where the password does not go."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator

import pytest
from django.db.models.signals import post_save
from django.test import Client
from pytest_django import Settings

from access.models import User
from catalog.models import Repository
from jobs import running
from jobs.models import Job
from registries import services
from registries.models import Registry
from registries.services import Details
from tests.hostile import Hostile, Reply
from tests.meanwhile import receiving
from tests.real_registry import PASSWORD, USERNAME, RealRegistry
from tests.tagging import furniture as tagging
from tests.web import furniture as make

pytestmark = pytest.mark.django_db(databases="__all__")

CANARY = "CANARY-7f3"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def signed_in(*, staff: bool) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("someone", is_staff=staff), backend=BACKEND)
    return client


@pytest.fixture
def staff() -> Client:
    return signed_in(staff=True)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path_factory.mktemp("locked"), htpasswd=True, deletes=False) as registry:
        yield registry


@pytest.fixture
def main() -> Registry:
    details = Details(url="https://main.example", name="main", username="the-user", password=CANARY)
    registry = services.add(details)
    registry.capabilities = {"problem": "unreachable", "reason": "GET v2/: connection refused"}
    registry.save(update_fields=["capabilities"])
    return registry


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


# For nobody, a reader and staff:
ROUTES = [
    ("GET", "/registries", (302, 200, 200)),
    ("GET", "/registries/add", (302, 403, 200)),
    ("POST", "/registries/add", (302, 403, 422)),
    ("GET", "/registries/main/edit", (302, 403, 200)),
    ("POST", "/registries/main/edit", (302, 403, 422)),
    ("POST", "/registries/main/test", (302, 403, 302)),
    ("POST", "/registries/main/trust", (302, 403, 302)),
    ("GET", "/registries/main/remove", (302, 403, 200)),
    ("POST", "/registries/main/remove", (302, 403, 302)),
]


@pytest.mark.parametrize(("method", "path", "answers"), ROUTES)
def test_who_may_do_what(main: Registry, method: str, path: str, answers: tuple[int, int, int]) -> None:
    Registry.objects.filter(pk=main.pk).update(url="http://127.0.0.1:1", plain_http=True)
    nobody, someone = Client(), signed_in(staff=False)

    statuses = [client.generic(method, path).status_code for client in (nobody, someone)]
    assert Registry.objects.get().name == "main"
    User.objects.update(is_staff=True)
    statuses.append(someone.generic(method, path).status_code)

    assert tuple(statuses) == answers


@pytest.mark.parametrize("path", ["/registries/main/test", "/registries/main/trust"])
def test_what_changes_something_is_no_link(staff: Client, main: Registry, path: str) -> None:
    assert staff.get(path).status_code == 405


def test_every_change_needs_the_token_of_its_page(main: Registry) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("someone", is_staff=True), backend=BACKEND)

    for path in ("add", "main/edit", "main/test", "main/trust", "main/remove"):
        assert client.post(f"/registries/{path}").status_code == 403
    assert Registry.objects.get() == main


def test_no_registry_yet_says_what_to_do(staff: Client) -> None:
    empty = page(staff, "/registries")

    assert "No registry yet" in empty
    assert "/registries/add" in empty


def test_a_reader_sees_what_a_registry_can_do_and_not_who_we_are(main: Registry) -> None:
    seen = page(signed_in(staff=False), "/registries")

    assert "https://main.example" in seen
    assert "Unreachable" in seen
    assert "the-user" not in seen
    assert CANARY not in seen
    assert "/registries/main/edit" not in seen


def test_no_page_shows_the_password(staff: Client, main: Registry) -> None:
    for path in ("/registries", "/registries/main/edit", "/registries/main/remove", "/registries/add"):
        assert CANARY not in page(staff, path)
    assert "the-user" in page(staff, "/registries/main/edit")


def test_what_was_typed_is_not_sent_back_when_something_else_is_wrong(staff: Client) -> None:
    form = {"url": "ftp://x", "username": "alice", "password": CANARY}

    answer = staff.post("/registries/add", form)

    assert answer.status_code == 422
    assert "begins with https://" in answer.content.decode()
    assert CANARY not in answer.content.decode()


def test_add_tests_scans_and_shows_what_was_found(staff: Client, real_registry: RealRegistry) -> None:
    form = {"url": real_registry.url, "plain_http": "on", "name": "shop"}

    shown = staff.post("/registries/add", form, follow=True)

    assert shown.redirect_chain == [("/registries/shop/edit", 302)]
    text = shown.content.decode()
    assert f"Reachable, behaves like distribution {real_registry.generation}." in text
    assert "1,000 names a page" in text
    assert Job.objects.get().subject == Registry.objects.get().job_subject


def test_the_cure_is_beside_each_no(staff: Client, locked: RealRegistry) -> None:
    form = {"url": locked.url, "plain_http": "on", "username": USERNAME, "password": PASSWORD}

    text = staff.post("/registries/add", form, follow=True).content.decode()

    assert "Deletes are off." in text
    assert "REGISTRY_STORAGE_DELETE_ENABLED=true" in text


def test_fields_that_no_page_offers_are_not_taken(staff: Client, main: Registry) -> None:
    more = {
        "id": "99",
        "realm": "https://evil.example",
        "capabilities": '{"deletes": true}',
        "from_environment": "on",
        "embedded": "on",
        "retired_at": "2020-01-01",
        "probed_at": "2020-01-01",
        "created_at": "2020-01-01",
    }
    Registry.objects.filter(pk=main.pk).update(url="http://127.0.0.1:1", plain_http=True)
    main.refresh_from_db()
    form = {"url": main.url, "plain_http": "on", "name": "main", "username": "the-user"}

    assert staff.post("/registries/main/edit", form | more).status_code == 302

    after = Registry.objects.get()
    for field in ("id", "realm", "from_environment", "embedded", "retired_at", "created_at", "password"):
        assert getattr(after, field) == getattr(main, field)
    assert after.capability("deletes") is None


def test_an_empty_password_keeps_and_a_box_forgets(staff: Client, main: Registry) -> None:
    form = {"url": main.url, "name": "main", "username": "the-user", "public_name": "r.example.org"}
    staff.post("/registries/main/edit", form)
    main.refresh_from_db()
    assert (main.password, main.public_name) == (CANARY, "r.example.org")

    staff.post("/registries/main/edit", form | {"remove_password": "on"})

    main.refresh_from_db()
    assert (main.username, main.password) == ("", "")


def test_a_changed_address_with_the_password_left_blank(
    staff: Client, main: Registry, other_host: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    other_host.on("GET", "/v2/", Reply.challenge('Basic realm="please"'))
    caplog.set_level(logging.DEBUG)
    Repository.objects.create(registry=main, name="team/app", name_key=b"team/app", state="whole")
    shown = page(staff, "/registries/main/edit")
    fields = dict(re.findall(r'<input type="text" name="(\w+)" value="([^"]*)"', shown))
    assert fields["username"] == "the-user"

    form = fields | {"url": other_host.url, "plain_http": "on", "password": ""}
    answer = staff.post("/registries/main/edit", form, follow=True)

    assert other_host.asked()
    assert all("Authorization" not in request.headers for request in other_host.asked())
    heard = " ".join(f"{request.headers} {request.body!r}" for request in other_host.asked())
    assert CANARY not in heard
    assert "the-user" not in heard
    assert CANARY not in caplog.text
    text = answer.content.decode()
    assert "as main-old; its credentials are forgotten" in text
    assert Registry.objects.exclude(password="").count() == 0


def test_what_was_read_before_the_move_can_still_be_browsed(staff: Client, main: Registry) -> None:
    Repository.objects.create(registry=main, name="team/app", name_key=b"team/app", state="whole")

    staff.post("/registries/main/edit", {"url": "http://127.0.0.1:1", "plain_http": "on", "name": "main"})

    assert "team/app" in page(staff, "/r/main-old")
    assert "Retired" in page(staff, "/registries")
    assert staff.get("/registries/main-old/edit").status_code == 404
    assert staff.post("/registries/main-old/test").status_code == 404


def test_a_move_before_anything_was_read_forgets_the_old_one(staff: Client, main: Registry) -> None:
    form = {"url": "http://127.0.0.1:1", "plain_http": "on", "name": "main"}

    answer = staff.post("/registries/main/edit", form, follow=True)

    assert "Nothing had been read from the old one: it is forgotten." in answer.content.decode()
    assert Registry.objects.get().url == "http://127.0.0.1:1"


def test_another_name_is_told_to_change_links(staff: Client, main: Registry) -> None:
    assert "with another name, links to them change" in page(staff, "/registries/main/edit")
    assert "links to them change" not in page(staff, "/registries/add")


def test_our_own_registry_says_which_options_are_its_own_and_offers_no_removal(staff: Client) -> None:
    services.add(Details(url="https://a.example", name="local"), from_environment=True, embedded=True)

    shown = page(staff, "/registries/local/edit")

    assert "--bind or --registry-port says that; change it there." in shown
    assert "BERTH_REGISTRY_URL" not in shown
    assert "Remove…" not in shown
    assert "It is Berth&#x27;s own" in page(staff, "/registries/local/remove")


def test_a_move_stops_the_scan_of_the_old_one(staff: Client, main: Registry) -> None:
    job = Job.objects.create(kind="scan", subject=main.job_subject, title="Scan of main")

    staff.post("/registries/main/edit", {"url": "http://127.0.0.1:1", "plain_http": "on", "name": "main"})

    job.refresh_from_db()
    assert job.state == Job.State.STOPPED


def test_the_token_service_is_shown_and_asked_only_after_a_yes(
    staff: Client, hostile: Hostile, other_host: Hostile
) -> None:
    hostile.on("GET", "/v2/", Reply.challenge(f'Bearer realm="{other_host.url}/token",service="x"'))
    form = {"url": hostile.url, "plain_http": "on", "name": "main", "username": "alice", "password": CANARY}

    asking = staff.post("/registries/add", form, follow=True).content.decode()

    assert f"Send its credentials to 127.0.0.1:{other_host.port}?" in asking
    assert other_host.connections == 0
    staff.post("/registries/main/trust", {"realm": "https://elsewhere.example"})
    assert other_host.connections == 0
    staff.post("/registries/main/trust", {"realm": other_host.url})
    sent = other_host.asked("/token")[0].headers["Authorization"]
    assert sent == "Basic " + base64.b64encode(f"alice:{CANARY}".encode()).decode()


def test_what_the_options_own_cannot_be_changed_here(staff: Client, main: Registry, settings: Settings) -> None:
    settings.REGISTRY_USER = "the-user"
    Registry.objects.filter(pk=main.pk).update(from_environment=True)
    shown = page(staff, "/registries/main/edit")
    assert "BERTH_REGISTRY_URL says that" in shown
    assert "BERTH_REGISTRY_PASSWORD says that" in shown

    form = {"url": "https://evil.example", "username": "eve", "password": "x", "name": "shop"}
    staff.post("/registries/main/edit", form)

    after = Registry.objects.get()
    assert (after.name, after.url) == ("shop", "https://main.example")
    assert (after.username, after.password) == ("the-user", CANARY)
    assert "BERTH_REGISTRY_URL names it" in page(staff, "/registries/shop/remove")
    assert staff.post("/registries/shop/remove").status_code == 409


def test_remove_says_what_goes_and_what_does_not(staff: Client, main: Registry) -> None:
    assert "Nothing is removed at the registry." in page(staff, "/registries/main/remove")

    answer = staff.post("/registries/main/remove")
    job = Job.objects.get()
    assert answer.headers["Location"] == f"/jobs/{job.pk}"
    assert not Registry.objects.active().exists()
    running.run(job.pk)
    assert not Registry.objects.exists()
    assert "Nothing was changed at the registry" in page(staff, f"/jobs/{job.pk}")


def test_remove_says_that_the_trash_goes_too(staff: Client, main: Registry) -> None:
    app = make.repository(main, "team/app")
    for tag in ("1", "2"):
        tagging.trash_entry(app, tag)
    tagging.trash_entry(app, "old", days_left=-1)

    assert "What is in its trash, 2 tags or images, can no longer be restored then." in page(
        staff, "/registries/main/remove"
    )


def test_remove_waits_for_the_scan(staff: Client, main: Registry) -> None:
    Job.objects.create(kind="scan", subject=main.job_subject, title="Scan of main", state=Job.State.RUNNING)

    assert "Scan of main" in page(staff, "/registries/main/remove")
    assert staff.post("/registries/main/remove").status_code == 409
    assert Registry.objects.exists()


def test_a_scan_that_is_queued_meanwhile_refuses_the_removal(staff: Client, main: Registry) -> None:
    def queue(instance: Registry, **_: object) -> None:
        Job.objects.create(kind="scan", subject=instance.job_subject, title="Scan of main")

    with receiving(post_save, Registry, queue):  # between the look at the page and the end of the retiring
        answer = staff.post("/registries/main/remove")

    assert answer.status_code == 409
    assert "“Scan of main” is not over yet" in answer.content.decode()
    main.refresh_from_db()
    assert (main.name, main.password, main.retired_at) == ("main", CANARY, None)


def test_hostile_text_is_text(staff: Client, hostile: Hostile) -> None:
    attack = '"><img src=x onerror=alert(1)>'
    hostile.on("GET", "/v2/", Reply.errors(500, attack, attack))

    text = staff.post("/registries/add", {"url": hostile.url, "plain_http": "on"}, follow=True).content.decode()

    assert "<img" not in text


def test_no_page_has_a_style_or_a_script_of_its_own(staff: Client, main: Registry) -> None:
    for path in ("/registries", "/registries/add", "/registries/main/edit", "/registries/main/remove"):
        text = page(staff, path)
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", text)
