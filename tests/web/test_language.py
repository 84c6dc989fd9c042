from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import DjangoAssertNumQueries, Settings

from access.models import User
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from web.templatetags.berth import clock, exact

KOREAN: Final = "ko-KR,ko;q=0.9,en;q=0.5"


def heading(client: Client, asked: str = "") -> tuple[str, str]:
    """What the first page says its language is, and its heading."""
    response = client.get("/", headers={"accept-language": asked})
    assert response.status_code == 200
    page = Page(response.content.decode())
    return page.all("html")[0]["lang"], "리포지토리" if "리포지토리" in page.text else "Repositories"


def test_the_browser_asks_for_a_language(client: Client, local: Registry) -> None:
    assert heading(client) == ("en", "Repositories")
    assert heading(client, KOREAN) == ("ko", "리포지토리")
    assert heading(client, "eo, ja;q=0.7") == ("en", "Repositories")
    assert "Accept-Language" in client.get("/").headers["Vary"]


def test_what_a_person_chose_holds_in_every_browser(client: Client, reader: User, local: Registry) -> None:
    response = client.post("/language", {"language": "ko", "next": "/r/local?sort=-tags"})
    assert (response.status_code, response["Location"]) == (302, "/r/local?sort=-tags")
    reader.refresh_from_db()
    assert reader.language == "ko"
    elsewhere = Client()
    elsewhere.force_login(reader)
    assert heading(elsewhere) == ("ko", "리포지토리")
    elsewhere.post("/language", {"language": "en", "next": "/"}, headers={"accept-language": KOREAN})
    assert heading(elsewhere, KOREAN) == ("en", "Repositories")
    del client.cookies["django_language"]
    assert heading(client, KOREAN) == ("en", "Repositories"), "it is the person's, wherever they chose it"


def test_who_has_not_signed_in_chooses_too(db: None, local: Registry) -> None:
    client = Client()
    page = Page(client.get("/sign-in").content.decode())
    assert [button["value"] for button in page.all("button", name="language")] == ["en", "ko"]
    response = client.post("/language", {"language": "ko", "next": "/sign-in?next=/jobs"})
    assert response["Location"] == "/sign-in?next=/jobs"
    cookie = response.cookies["django_language"]
    assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("ko", "Lax", True)
    assert "로그인" in client.get("/sign-in").content.decode()
    assert "English" in client.get("/sign-in").content.decode(), "each language by its own name"


def test_a_person_without_a_choice_keeps_that_of_the_browser(client: Client, reader: User, local: Registry) -> None:
    client.cookies["django_language"] = "ko"
    assert heading(client) == ("ko", "리포지토리")
    assert reader.language == ""


def test_a_language_that_is_none_changes_nothing(client: Client, reader: User, local: Registry) -> None:
    for language in ("", "xx", "ko\r\nSet-Cookie: x=1", "<b>"):
        response = client.post("/language", {"language": language, "next": "/"})
        assert response.status_code == 400
        assert "django_language" not in response.cookies
    reader.refresh_from_db()
    assert reader.language == ""
    assert client.get("/language").status_code == 405
    User.objects.update(language="xx")
    assert heading(client, KOREAN) == ("ko", "리포지토리")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_choosing_leads_nowhere_else(client: Client, elsewhere: str) -> None:
    assert client.post("/language", {"language": "ko", "next": elsewhere})["Location"] == "/"


def test_another_site_cannot_choose(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/language", {"language": "ko", "next": "/"}).status_code == 403


def test_a_probe_asks_nobody_who_they_are(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz").status_code == 200


def test_a_page_that_is_not_there_speaks_it_too(client: Client) -> None:
    body = client.get("/nothing/here", headers={"accept-language": KOREAN}).content.decode()
    assert 'lang="ko"' in body
    assert "찾을 수 없" in body


def test_moments_are_written_as_the_language_writes_them(settings: Settings) -> None:
    moment = datetime(2026, 11, 4, 23, 6, 10, tzinfo=UTC)
    assert exact(moment) == "4 Nov 2026, 23:06:10 UTC"
    assert clock(moment) == "4 Nov, 23:06 UTC"
    with translation.override("ko"):
        assert exact(moment) == "2026년 11월 4일 23:06:10 UTC"
        assert clock(moment) == "11월 4일 23:06 UTC"


def test_figures_stay_what_they_are(client: Client, local: Registry) -> None:
    app = make.repository(local, "team/app")
    make.put(app, make.image(), "1.0")
    make.settle(app)
    page = Page(client.get("/r/local/team/app", headers={"accept-language": KOREAN}).content.decode())
    assert "태그" in page.text
    assert "1.0" in page.text
