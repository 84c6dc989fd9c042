"""Taking over the rules of another tool by its pages: shown first, then added, and nothing kept in between."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registries.models import Registry
from sync.importing.document import LARGEST
from sync.models import Rule
from tests.web import furniture as make
from tests.web.pages import Page

pytestmark = pytest.mark.django_db(databases="__all__")

CANARY = "CANARY-7f3"
REGSYNC = f"""
creds:
  - {{registry: quay.io, user: robot, pass: {CANARY}}}
defaults: {{parallel: 2}}
sync:
  - source: quay.io/coreos/etcd
    target: local.example.org/mirror/etcd
    type: repository
    interval: 1h
    tags: {{allow: ["v3\\\\.5\\\\..*"]}}
  - {{source: quay.io/a/b:1, target: local.example.org/a/b:2, type: image}}
"""


@pytest.fixture(autouse=True)
def ours(local: Registry) -> Registry:
    return local


def sent(client: Client, text: str = REGSYNC, **more: Any) -> HttpResponse:
    answer = client.post("/sync/import", {"tool": "regsync", "text": text, **more})
    assert isinstance(answer, HttpResponse)
    return answer


def shown(answer: HttpResponse) -> Page:
    return Page(answer.content.decode())


def hidden(page: Page) -> dict[str, str]:
    """What the form of the second step sends back."""
    form = {found["name"]: found["value"] for found in page.all("input", type="hidden")}
    return {name: value for name, value in form.items() if name != "csrfmiddlewaretoken"}


def test_it_shows_what_would_be_added_and_adds_nothing(staff_client: Client) -> None:
    answer = sent(staff_client)

    assert answer.status_code == 200
    words = shown(answer).words
    assert "Add 1 rule?" in words
    assert "One source is added too." in words
    assert "coreos-etcd" in words
    assert "from quay to local/mirror/etcd" in words
    assert r"tags /v3\.5\..*/ · without what is attached · every 60 minutes" in words
    assert "Line 4 defaults.parallel Berth sees to that by itself." in words
    assert "left out It stands under another tag at the target" in words
    assert not Rule.objects.exists()
    assert not Registry.objects.sources().exists()


def test_a_yes_adds_it(staff_client: Client) -> None:
    second = hidden(shown(sent(staff_client)))

    answer = staff_client.post("/sync/import", {**second, "make": "1"})

    page = Page(answer.content.decode())
    assert "1 rule is added" in page.words
    assert "/sync/sources/quay" in page.links
    rule = Rule.objects.get()
    assert (rule.name, rule.is_on, rule.created_by, rule.source.name) == ("coreos-etcd", False, "staff", "quay")
    assert rule.source.password == ""


def test_passwords_of_the_file_are_used_only_where_that_is_ticked(staff_client: Client) -> None:
    page = shown(sent(staff_client))
    assert page.all("input", name="with_passwords")
    assert "checked" not in page.all("input", name="with_passwords")[0]
    assert CANARY not in page.words

    staff_client.post("/sync/import", {**hidden(page), "make": "1", "with_passwords": "on"})
    source = Registry.objects.get(name="quay")
    assert (source.username, source.password) == ("robot", CANARY)


def test_where_no_new_source_has_a_password_none_is_asked_about(staff_client: Client) -> None:
    make.registry("quay", url="https://quay.io", role=Registry.Role.SOURCE)
    assert not shown(sent(staff_client)).all("input", name="with_passwords")


def test_a_form_that_is_sent_again_adds_nothing_again(staff_client: Client) -> None:
    second = {**hidden(shown(sent(staff_client))), "make": "1"}
    staff_client.post("/sync/import", second)
    again = staff_client.post("/sync/import", second, follow=True)
    assert "had been sent before" in Page(again.content.decode()).words
    assert Rule.objects.count() == 1


def test_what_is_there_already_is_said_and_not_added(staff_client: Client) -> None:
    staff_client.post("/sync/import", {**hidden(shown(sent(staff_client))), "make": "1"})
    page = shown(sent(staff_client))
    assert "is there already, as coreos-etcd" in page.words
    assert "Nothing of it can be added" in page.words
    assert not page.all("button", name="make")


def test_what_comes_back_is_read_again_and_not_trusted(staff_client: Client) -> None:
    second = hidden(shown(sent(staff_client)))
    answer = staff_client.post("/sync/import", {**second, "text": "sync: ]", "make": "1"})
    assert answer.status_code == 422
    assert not Rule.objects.exists()


def test_the_file_can_be_changed_first(staff_client: Client) -> None:
    answer = staff_client.post("/sync/import", {**hidden(shown(sent(staff_client))), "back": "1"})
    assert answer.status_code == 200
    assert "quay.io/coreos/etcd" in Page(answer.content.decode()).text


def test_a_file_is_read(staff_client: Client) -> None:
    file = SimpleUploadedFile("regsync.yml", REGSYNC.encode())
    page = shown(sent(staff_client, text="", file=file))
    assert "Add 1 rule?" in page.words
    assert hidden(page)["text"] == REGSYNC


def test_skopeo_has_to_be_told_where_to(staff_client: Client) -> None:
    text = "quay.io: {images: {coreos/etcd: [v3.5.0]}}"
    answer = sent(staff_client, text, tool="skopeo")
    assert answer.status_code == 422
    assert "choose one of ours below" in shown(answer).words
    words = shown(sent(staff_client, text, tool="skopeo", target="local", into="mirror/{name}")).words
    assert "from quay to local/mirror/{name}" in words


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Choose a file, or paste what stands in it."),
        (f"sync:\n- {CANARY}: ]", "Line 2: This is no YAML that Berth reads."),
        (f"sync: {CANARY}", "Line 1, sync: A list should stand here."),
        ("sync: []", "No rule comes of it."),
    ],
)
def test_what_is_no_such_file_is_refused(staff_client: Client, text: str, sentence: str) -> None:
    answer = sent(staff_client, text)
    assert answer.status_code == 422
    page = shown(answer)
    assert sentence in page.words
    assert page.all("div", id="id_text_error")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"#" * (LARGEST + 1), "The file is larger than a mebibyte."), (b"\xff\xfe\xff", "The file is no text.")],
)
def test_what_is_no_such_upload_is_refused(staff_client: Client, content: bytes, sentence: str) -> None:
    answer = sent(staff_client, text="", file=SimpleUploadedFile("regsync.yml", content))
    assert answer.status_code == 422
    assert sentence in shown(answer).words


def test_as_much_as_may_be_sent_comes_back_whole(staff_client: Client) -> None:
    text = REGSYNC + "#" + "é" * ((LARGEST - len(REGSYNC)) // 2 - 1)
    second = hidden(shown(sent(staff_client, text)))
    assert staff_client.post("/sync/import", {**second, "make": "1"}).status_code == 200
    assert Rule.objects.count() == 1


def test_schedules_mean_the_zone_that_is_said(staff_client: Client) -> None:
    text = REGSYNC.replace("interval: 1h", "schedule: 15 3 * * *")
    assert "in Europe/Berlin" in shown(sent(staff_client, text, zone="Europe/Berlin")).words
    answer = sent(staff_client, text, zone="Mars/Olympus")
    assert answer.status_code == 422
    assert shown(answer).all("div", id="id_zone_error")


def test_hostile_text_stays_text(staff_client: Client) -> None:
    rule = "{source: quay.io/a/b, target: local.example.org/a/b, type: repository}"
    text = f"x<script>alert(1)</script>: 1\nsync: [{rule}]"
    page = shown(sent(staff_client, text))
    assert "x<script>alert(1)</script>" in page.words
    assert not [found for found in page.all("script") if "src" not in found]


def test_many_rules_cost_no_more_queries_and_little_to_read(staff_client: Client) -> None:
    def text(rules: int) -> str:
        lines = (
            f"- {{source: quay.io/a/b{n}, target: local.example.org/a/b{n}, type: repository}}" for n in range(rules)
        )
        return "sync:\n" + "\n".join(lines)

    asked = []
    for rules in (2, 300):
        with CaptureQueriesContext(connection) as queries:
            page = shown(sent(staff_client, text(rules)))
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 10
    assert "and 200 more rules" in page.words


def test_what_could_not_be_added_is_said(staff_client: Client) -> None:
    text = REGSYNC + "  - {source: quay.io/a/c, target: elsewhere.example.org/a/c, type: repository}\n"
    page = shown(sent(staff_client, text))
    assert "elsewhere.example.org is none of ours" in page.words
    answer = staff_client.post("/sync/import", {**hidden(page), "make": "1"})
    assert "What could not be added a-c" in Page(answer.content.decode()).words


def test_a_reader_imports_nothing(client: Client) -> None:
    assert client.get("/sync/import").status_code == 403
    assert sent(client).status_code == 403
