from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final, Literal

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django import DjangoAssertNumQueries, Settings

from tests.web.harbour import Harbour
from tests.web.pages import Page
from tests.web.visit import Visit

REPOSITORY: Final = "/api/v1/repositories/{registry}/{repository}"
# Scripts of others rest on these: none may go, and none may be renamed.
ADDRESSES: Final = {
    "/api/v1/repositories": {"cursor", "limit", "registry", "namespace", "q", "state", "sort"},
    REPOSITORY: {"registry", "repository"},
    f"{REPOSITORY}/-/tags": {"registry", "repository", "cursor", "limit", "q", "digest", "state", "sort"},
    f"{REPOSITORY}/-/manifests/{{digest}}": {"registry", "repository", "digest"},
    "/api/v1/search": {"q", "in", "limit", "cursor"},
    "/api/v1/jobs": {"cursor", "limit"},
    "/api/v1/jobs/{job_id}": {"job_id"},
}


@pytest.fixture
def document(client: Client) -> Any:
    return client.get("/api/v1/openapi.json").json()


def inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Every name and value in a document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from inside(inner)
    if isinstance(value, list):
        for inner in value:
            yield from inside(inner)


def test_every_address_is_described_with_all_that_may_be_asked(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    found = {
        path: {parameter["name"] for parameter in at["get"]["parameters"]} for path, at in document["paths"].items()
    }
    assert found == ADDRESSES


def test_nothing_but_reading_is_offered(document: Any) -> None:
    assert {method for at in document["paths"].values() for method in at} == {"get"}
    assert document["components"]["securitySchemes"]["Reader"]["name"] == "sessionid"


def test_every_operation_says_what_it_is_and_what_may_go_wrong(document: Any) -> None:
    operations = {path: at["get"] for path, at in document["paths"].items()}
    assert len({operation["operationId"] for operation in operations.values()}) == len(operations)
    for path, operation in operations.items():
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["responses"]) == {"200", "401", "422", "503"} | ({"404"} if "{" in path else set())
        for status, response in operation["responses"].items():
            problem = response["content"].get("application/problem+json")
            assert (status == "200") == (problem is None)
            assert problem is None or problem["example"]["status"] == int(status)
        for parameter in operation["parameters"]:
            assert parameter["in"] == "path" or parameter["description"]


def test_every_reference_leads_somewhere(document: Any) -> None:
    references = [value for name, value in inside(document) if name == "$ref"]
    assert references
    for reference in references:
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_dates_say_what_they_rest_on(document: Any) -> None:
    tag = document["components"]["schemas"]["TagJson"]["properties"]
    for word in ("found", "created", "pushed", "seen"):
        assert f"{word}: " in tag["dated_by"]["description"]
    assert "2026-11-24T23:56:10Z" in str(tag["moved_at"])


def test_the_document_needs_no_rows(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client.get("/api/v1/openapi.json")
    with django_assert_num_queries(2):  # the session and whose it is
        client.get("/api/v1/openapi.json")


def test_the_page_is_for_whoever_may_read(client: Client, settings: Settings) -> None:
    page = Page(client.get("/api/v1/docs").content.decode())
    assert [script["src"] for script in page.all("script") if "swagger" in script["src"]]
    assert Client().get("/api/v1/docs")["Location"] == "/sign-in?next=/api/v1/docs"
    assert Client().get("/api/v1/openapi.json").status_code == 401
    settings.ANONYMOUS_READ = True
    for path in ("/api/v1/docs", "/api/v1/openapi.json", "/api/v1/repositories"):
        assert Client().get(path).status_code == 200


def test_every_page_leads_to_it(client: Client) -> None:
    assert reverse("api-docs") in Page(client.get("/").content.decode()).links
    assert reverse("api-docs") not in Page(Client().get("/sign-in").content.decode()).links


def test_the_page_is_clean(chromium: Browser, berth: tuple[str, Harbour]) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for theme, width in product(themes, (1360, 390)):
        visit.page.emulate_media(color_scheme=theme)
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.go("/api/v1/docs")
        expect(visit.page.locator(".opblock")).to_have_count(len(ADDRESSES))
        visit.check(f"/api/v1/docs, {theme}, {width} px")
    context.close()


def test_the_page_works_offline_under_the_policy(visit: Visit) -> None:
    """An operation can be tried, nobody else is asked, and the policy has nothing to report."""
    visit.go("/api/v1/docs")
    page = visit.page
    page.get_by_role("button", name="Tags of a repository").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("registry").fill("local")
    page.get_by_placeholder("repository").fill("platform/api")
    page.get_by_placeholder("q", exact=True).fill("1.27.3")
    page.get_by_role("button", name="Execute").click()
    answer = page.locator(".live-responses-table")
    expect(answer).to_contain_text("1.27.3")
    expect(answer).to_contain_text("200")
    page.get_by_role("tab", name="Schema").first.click()
    page.locator("[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_class("dark-mode")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert visit.complaints == []
    assert [request.url for request in visit.requests if not request.url.startswith(visit.origin)] == []


def test_without_scripts_the_page_leads_to_the_document(client: Client) -> None:
    html = client.get("/api/v1/docs").content.decode()
    assert "<noscript><p" in html
    assert reverse("api-openapi") in Page(html).links
