"""Whatever whoever pushed an image wrote in it is text on every page, byte for byte, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Manifest, Presence, Repository, WatchedRepository
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page

CORPUS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "'-alert(1)-'",
    "{{7*7}} {% now 'Y' %} ${7*7} #{7*7}",
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "&lt;b&gt; &amp; &#x3c;",
    "\u202egnp.exe",
    "--><iframe srcdoc='x'>",
]
ALLOWED_SCRIPTS = {"theme", "app", "htmx-2"}


def image_with(text: str) -> make.Built:
    settings = make.config(
        author=text,
        history=[
            {"created_by": f"RUN {text}", "comment": text, "author": text},
            {"created_by": text, "empty_layer": True},
        ],
        run={
            "User": text,
            "Env": [f"NAME={text}", text],
            "Cmd": [text],
            "Entrypoint": [text],
            "WorkingDir": text,
            "Volumes": {text: {}},
            "ExposedPorts": {text: {}},
            "Labels": {text: text, "org.opencontainers.image.url": text},
            "StopSignal": text,
        },
    )
    return make.image([("a", 5)], settings, more={"annotations": {text: text}})


def check(page: Page) -> None:
    """No element, attribute or address that the templates did not write."""
    for tag, attributes in page.elements:
        assert tag not in {"iframe", "object", "embed", "img", "base", "style"}
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "srcdoc"}]
    for script in page.all("script"):
        assert script["src"].startswith("/static/")
    for link in page.links:
        assert link.startswith(("/", "#", "?", "https://", "http://")) or link == ""


@pytest.mark.any_database
@pytest.mark.parametrize("text", CORPUS)
def test_fields_of_an_image_are_text(client: Client, local: Registry, text: str) -> None:
    make.put(make.repository(local, "team/app"), image_with(text), "1.0")
    page = Page(client.get("/r/local/team/app/-/tags/1.0").content.decode())
    check(page)
    shown = page.text
    # author, user, variables, directory, volume, port, labels, stop signal, steps, comments, annotations
    assert shown.count(text) >= 15
    assert f"RUN {text}" in shown


@pytest.mark.any_database
@pytest.mark.parametrize("text", CORPUS)
def test_problems_and_questions_are_text(client: Client, staff_client: Client, local: Registry, text: str) -> None:
    app = make.repository(local, "team/app", state=Repository.State.FAILED, problem=text)
    built = make.image(config_state=Manifest.ConfigState.MALFORMED, config_problem=text)
    make.put(app, built, "1.0", state=Presence.State.INCOMPLETE, problem=text)
    make.lose_tag(app, "lost", text)
    make.settle(app)
    ended = make.job(local, Job.State.FAILED, message=text, title=text)
    question = {"text": text, "details": [text], "yes": text, "no": text}
    asking = make.job(local, Job.State.ASKING, question=question, title=text, progress={"phase": text, "tags": text})
    urls = ["/", "/r/local/team/app", "/r/local/team/app/-/tags/1.0", "/r/local/team/app/-/tags/lost", "/jobs"]
    for url in [*urls, f"/jobs/{ended.pk}", f"/jobs/{asking.pk}", f"/jobs/{asking.pk}?as=strip"]:
        for browser in (client, staff_client):
            page = Page(browser.get(url).content.decode())
            check(page)
            if not url.endswith("1.0") and url != "/":
                assert text in page.text, url


@pytest.mark.any_database
@pytest.mark.parametrize("text", CORPUS)
def test_what_a_scan_was_told_is_text(client: Client, staff_client: Client, local: Registry, text: str) -> None:
    Registry.objects.update(capabilities={"problem": "denied", "reason": text, "catalog_allowed": False})
    make.repository(local, "team/app", state=Repository.State.FAILED, problem=text)
    WatchedRepository.objects.create(registry=local, name="team/app")
    app = make.repository(local, "team/odd")
    make.put(app, make.image(), "half", state=Presence.State.INCOMPLETE, problem=text)
    make.lose_tag(app, "lost", text)
    make.settle(app)
    job = make.job(local, Job.State.FAILED, message=text, title=text)
    said = {"source_note": text, "catalog_refusal": text, "is_of_watched": True}
    broken_off = make.scan(local, job=job, complete=False, **said)
    found = make.scan(local, **said)
    scans = "/registries/local/scans"
    for url in ("/registries/local", "/registries/local/watched", f"{scans}/{found.pk}", f"{scans}/{broken_off.pk}"):
        for browser in (client, staff_client):
            page = Page(browser.get(url).content.decode())
            check(page)
            assert text in page.text, url


@pytest.mark.parametrize("text", CORPUS)
def test_names_that_are_refused_come_back_as_text(staff_client: Client, local: Registry, text: str) -> None:
    response = staff_client.post("/registries/local/watch", {"names": text})
    page = Page(response.content.decode())
    check(page)
    assert response.status_code == 422
    assert not WatchedRepository.objects.filter(name__contains="<").exists()


@pytest.mark.parametrize("text", CORPUS)
def test_what_a_person_types_comes_back_as_text(client: Client, local: Registry, text: str) -> None:
    make.put(make.repository(local, "team/app"), make.image(), "1.0")
    scan = f"/registries/local/scans/{make.scan(local).pk}"
    urls = ("/", "/r/local/team/app", "/r/local/team/app/-/tags/1.0", "/jobs", "/registries/local", scan)
    for url in urls:
        for name in ("q", "ns", "sort", "platform", "page", "show"):
            check(Page(client.get(url, {name: text}).content.decode()))


def test_a_person_with_a_hostile_name_is_text(local: Registry) -> None:
    client = Client()
    client.force_login(make.person("mara", first_name="<b>Mara</b>", last_name='"onclick="x'))
    page = Page(client.get("/").content.decode())
    check(page)
    assert not page.all("b", **{"class": "x"})
    assert "<b>Mara</b>" in page.text


def test_only_web_addresses_in_labels_are_links(client: Client, local: Registry) -> None:
    labels: dict[str, Any] = {
        "a": "https://git.example.org/x",
        "b": "javascript:alert(1)",
        "c": "//evil.example.org",
        "d": "data:text/html,x",
        "e": "https://user@evil.example.org",
    }
    make.put(make.repository(local, "team/app"), make.image(settings=make.config(run={"Labels": labels})), "1.0")
    page = Page(client.get("/r/local/team/app/-/tags/1.0").content.decode())
    outside = [link for link in page.all("a") if not link.get("href", "").startswith(("/", "#", "?"))]
    assert outside == [{"href": "https://git.example.org/x", "rel": "noopener noreferrer nofollow"}]
    for value in labels.values():
        assert value in page.text


def test_a_huge_value_is_cut_and_counted(client: Client, local: Registry) -> None:
    text = "x" * 100_000
    make.put(make.repository(local, "team/app"), image_with(text), "1.0")
    response = client.get("/r/local/team/app/-/tags/1.0")
    assert len(response.content) < 100_000
    assert "… and 99,000 more characters" in Page(response.content.decode()).words
