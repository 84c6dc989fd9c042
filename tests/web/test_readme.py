from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from catalog import card as cards
from catalog.card import Said
from catalog.models import Repository, RepositoryCard
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page

URL = "/r/local/team/app"
README = f"{URL}/-/readme"
EDIT = f"{README}/edit"


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


@pytest.fixture
def written(app: Repository) -> RepositoryCard:
    return cards.edit(app, Said("Platform team", "# How to\n\nuse *it*"), began_from=0, by="Mara Voss")


def see(client: Client, url: str, status: int = 200) -> Page:
    response = client.get(url)
    assert response.status_code == status
    return Page(response.content.decode())


def send(client: Client, status: int, **said: object) -> Page:
    response = client.post(EDIT, {"act": "save", "owner": "", "readme": "", "version": 0, **said})
    assert response.status_code == status
    return Page(response.content.decode())


def test_the_readme_has_a_page_and_a_tab(client: Client, written: RepositoryCard) -> None:
    page = see(client, README)
    assert [tag for tag, _ in page.elements if tag in {"h1", "h2"}].count("h1") == 1
    assert page.all("h2", id="readme-how-to")
    assert "Owner Platform team" in page.words
    assert "by Mara Voss" in page.words
    for url in (URL, f"{URL}/-/gone-tags"):
        assert README in see(client, url).links
    assert "Owner Platform team" in see(client, URL).words


def test_without_a_readme_staff_are_led_to_write_one(client: Client, staff_client: Client, app: Repository) -> None:
    assert README not in see(client, URL).links
    for url in (URL, f"{URL}/-/timeline", f"{URL}/-/gone-tags"):
        assert "Add a README" in see(staff_client, url).words
        assert EDIT in see(staff_client, url).links
    assert EDIT in see(staff_client, README).links
    page = see(client, README)
    assert "No README yet" in page.words
    assert EDIT not in page.links


def test_an_owner_alone_is_no_readme(client: Client, staff_client: Client, app: Repository) -> None:
    send(staff_client, 302, owner="Platform team")
    assert "Owner Platform team" in see(client, URL).words
    assert README not in see(client, URL).links


def test_it_is_written_changed_and_deleted(client: Client, staff_client: Client, app: Repository) -> None:
    send(staff_client, 302, owner=" Team ", readme="# One\r\n\r\ntext\r\n")
    card = RepositoryCard.objects.get()
    assert (card.owner, card.readme, card.edited_by) == ("Team", "# One\n\ntext", "staff")
    form = see(staff_client, EDIT)
    assert form.all("input", name="version", value="1")
    assert "# One text" in form.words
    send(staff_client, 302, owner="Team", readme="# Two", version=1)
    assert "Two" in see(client, README).words
    send(staff_client, 302, owner="Team", readme="# Two", version=2, act="delete")
    assert "No README yet" in see(client, README).words
    assert "Owner Team" in see(client, README).words


@pytest.mark.parametrize("act", ["save", "delete"])
def test_two_who_write_at_once_lose_nothing(staff_client: Client, written: RepositoryCard, act: str) -> None:
    cards.edit(written.repository, Said("Other team", "# Theirs"), began_from=1, by="Noa")
    page = send(staff_client, 409, owner="My team", readme="# Mine", version=1, act=act)
    assert "Noa saved what stands here" in page.words
    for text in ("# Theirs", "# Mine"):
        assert text in page.text
    assert {field.get("value") for field in page.all("input")} >= {"Other team", "My team", "2"}
    assert cards.card_of(written.repository).readme == "# Theirs"
    send(staff_client, 302, owner="My team", readme="# Theirs and mine", version=2)
    assert cards.card_of(written.repository).readme == "# Theirs and mine"


@pytest.mark.parametrize("version", ["", "-1", "x", "99999999999999999999"])
def test_a_bent_version_overwrites_nothing(staff_client: Client, written: RepositoryCard, version: str) -> None:
    response = staff_client.post(EDIT, {"act": "save", "owner": "", "readme": "mine", "version": version})
    assert response.status_code in {409, 422}
    assert "mine" in Page(response.content.decode()).text
    assert cards.card_of(written.repository).readme == written.readme


@pytest.mark.parametrize(
    ("said", "why"),
    [({"readme": "x" * (256 * 1024 + 1)}, "longer than 256 kB"), ({"owner": "x" * 256}, "at most 255 characters")],
)
def test_what_is_too_long_comes_back(staff_client: Client, app: Repository, said: dict[str, str], why: str) -> None:
    page = send(staff_client, 422, **said)
    assert why in page.words
    assert next(iter(said.values())) in page.text or page.all("input", value="x" * 256)
    assert not RepositoryCard.objects.exists()


def test_a_preview_writes_nothing(staff_client: Client, written: RepositoryCard) -> None:
    page = send(staff_client, 200, readme="# Soon", version=1, act="preview")
    assert page.all("h2", id="readme-soon")
    assert page.all("textarea", name="readme")
    part = staff_client.post(EDIT, {"readme": "# Soon", "act": "preview"}, headers={"HX-Request": "true"})
    found = Page(part.content.decode())
    assert found.all("h2", id="readme-soon")
    assert not found.all("html")
    long = staff_client.post(EDIT, {"readme": "x" * 300_000, "act": "preview"}, headers={"HX-Request": "true"})
    assert long.status_code == 200
    assert "longer than 256 kB" in long.content.decode()
    assert cards.card_of(written.repository) == written


def test_a_reader_writes_nothing(client: Client, written: RepositoryCard) -> None:
    for act in ("save", "preview", "delete"):
        assert client.post(EDIT, {"readme": "mine", "version": 1, "act": act}).status_code == 403
    assert Client().post(EDIT, {"readme": "mine", "version": 1}).status_code == 302
    assert cards.card_of(written.repository).readme == written.readme


def test_who_is_not_signed_in_is_not_told_who_wrote_it(settings: Settings, written: RepositoryCard) -> None:
    settings.ANONYMOUS_READ = True
    assert "Mara Voss" not in see(Client(), README).words


def test_a_repository_that_is_gone_keeps_its_card(client: Client, staff_client: Client, local: Registry) -> None:
    app = make.repository(local, "team/app", gone_at="2026-11-01T00:00:00Z")
    send(staff_client, 302, owner="Team", readme="# Kept")
    assert "Kept" in see(client, README).words
    assert "Owner Team" in see(client, app.get_absolute_url()).words


def test_the_newest_image_speaks_where_nobody_wrote(client: Client, app: Repository) -> None:
    labels = {
        "org.opencontainers.image.title": "Platform <b>API</b>",
        "org.opencontainers.image.description": "Answers what the platform is asked.",
        "org.opencontainers.image.source": "https://git.example.org/api",
        "org.opencontainers.image.url": "javascript:alert(1)",
    }
    make.put(app, make.image(settings=make.config(run={"Labels": labels})), "1.0")
    make.settle(app)
    for url in (URL, README):
        page = see(client, url)
        assert "The newest image says 1.0" in page.words
        assert "Platform <b>API</b>" in page.text
        assert "https://git.example.org/api" in page.links
        assert "Website" not in page.words
    cards.edit(app, Said("", "# Ours"), began_from=0, by="Mara")
    for url in (URL, README):
        assert "The newest image says" not in see(client, url).words


def test_removing_a_registry_says_that_cards_go(staff_client: Client, written: RepositoryCard) -> None:
    assert "owner and the README that people here wrote" in see(staff_client, "/registries/local/remove").words


def test_the_pages_cost_few_queries(
    client: Client, staff_client: Client, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make.put(app, make.image(settings=make.config(run={"Labels": {"org.opencontainers.image.title": "x"}})), "1.0")
    make.settle(app)
    with django_assert_num_queries(6):
        see(client, README)
    with django_assert_num_queries(5):
        see(staff_client, EDIT)
    cards.edit(app, Said("", "# Ours"), began_from=0, by="Mara")
    with django_assert_num_queries(5):
        see(client, README)
