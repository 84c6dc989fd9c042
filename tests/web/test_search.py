from __future__ import annotations

import pytest
from django.test import Client
from playwright.sync_api import expect
from pytest_django import DjangoAssertNumQueries

from catalog.models import Repository
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from tests.web.visit import Visit


@pytest.fixture
def app(local: Registry) -> Repository:
    app = make.repository(local, "team/app")
    make.put(app, make.image([("one", 1)]), "1.27.3", "latest")
    return make.settle(app)


def see(client: Client, query: str, **headers: str) -> Page:
    answer = client.get("/search", {"q": query}, headers=headers)
    assert answer.status_code == 200
    return Page(answer.content.decode())


def test_without_a_question_the_page_says_what_can_be_asked(client: Client, app: Repository) -> None:
    page = see(client, "")
    assert "a pasted command, FROM line or reference, explained and found" in page.words
    assert "What to find" not in [nav.get("aria-label") for nav in page.all("nav")]


def test_repositories_and_tags_are_found_on_one_page(client: Client, app: Repository) -> None:
    assert "/r/local/team/app" in see(client, "app").links
    page = see(client, "1.27")
    assert "/r/local/team/app/-/tags/1.27.3" in page.links
    assert "?q=1.27&in=tags" in page.links


def test_a_pasted_command_is_explained_part_by_part_and_found(client: Client, app: Repository) -> None:
    page = see(client, "docker pull team/app")
    assert "Registry docker.io filled in: no registry stands in front, so clients ask Docker Hub" in page.words
    assert "Namespace team Repository app Tag latest filled in: neither a tag nor a digest was given" in page.words
    assert "/r/local/team/app/-/tags/latest" in page.links
    assert "the repository is here, the tag 9 is not" in see(client, "docker pull team/app:9").words
    assert "No registry that Berth reads has this repository." in see(client, "FROM golang:1").words


def test_what_is_not_found_and_not_known_is_said(client: Client, app: Repository) -> None:
    assert "Nothing found" in see(client, "zzz").words
    assert "Berth does not know platform:plan9" in see(client, "platform:plan9 app").words


def test_the_tab_of_tags_is_paged(client: Client, app: Repository) -> None:
    make.put(app, make.image([("two", 1)]), *[f"build-{number:03}" for number in range(70)])
    seen: list[str] = []
    path = "/search?q=build-&in=tags"
    while path:
        page = Page(client.get(path).content.decode())
        seen += [link for link in page.links if "/-/tags/" in link]
        path = next((f"/search{link['href']}" for link in page.all("a", rel="next")), "")
    assert len(seen) == len(set(seen)) == 70


def test_what_is_shown_while_one_types_is_the_part_alone(client: Client, app: Repository) -> None:
    part = see(client, "app", **{"HX-Request": "true"})
    assert not part.all("html")
    assert "/search?q=app" in part.links


@pytest.mark.parametrize(
    "query", ["app", "1.27", "docker pull team/app:1.27.3", "label:a=b", "sha256:12", "*/app:1.*", "8c1f20e"]
)
@pytest.mark.parametrize("section", ["", "tags", "images"])
def test_a_search_costs_ten_queries_at_most(
    client: Client,
    app: Repository,
    query: str,
    section: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(10):
        client.get("/search", {"q": query, "in": section})


def test_a_reader_of_nothing_finds_nothing(db: None, app: Repository) -> None:
    answer = Client().get("/search", {"q": "app"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in")


def test_the_palette_is_used_by_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search images, tags, digests")
    expect(field).to_be_focused()
    expect(page.get_by_text("a pattern, as docker image ls takes it")).to_be_visible()
    visit.check_all_looks("the palette with its hints")
    page.keyboard.type("platform/api")
    expect(page.locator("#finds a").first).to_contain_text("platform/api")
    visit.check_all_looks("the palette with what was found")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#finds a").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/r/local/platform/api")
    page.keyboard.press("/")
    page.keyboard.type("1.27")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=1.27")
    page.keyboard.press("f")
    expect(page.get_by_role("searchbox", name="Search for")).to_be_focused()
    assert visit.complaints == []


@pytest.mark.parametrize("query", ["1.27", "docker+pull+team/app:1", "FROM golang", "sha256:2", "*/api:1.2*", "zzzz"])
def test_the_page_of_the_search_is_clean(visit: Visit, query: str) -> None:
    visit.go(f"/search?q={query}")
    visit.check_all_looks(query)
