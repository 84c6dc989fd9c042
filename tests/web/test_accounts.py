from __future__ import annotations

from django.test import Client

from access.models import User
from tests.web import furniture as make
from tests.web.pages import Page


def test_a_person_signs_in_and_gets_where_they_wanted(db: None) -> None:
    make.person("mara")
    client = Client()
    asked = client.get("/jobs?page=x")
    assert asked["Location"] == "/sign-in?next=/jobs%3Fpage%3Dx"
    page = Page(client.get(asked["Location"]).content.decode())
    assert page.all("input", name="next", value="/jobs?page=x")
    assert "the page that you asked for opens" in page.words
    assert "readers" not in page.words
    form = {"username": "mara", "password": make.PASSWORD, "next": "/jobs?page=x"}
    assert client.post("/sign-in", form)["Location"] == "/jobs?page=x"


def test_a_wrong_password_says_no_more_than_that(db: None) -> None:
    make.person("mara")
    answers = []
    for name in ("mara", "nobody"):
        response = Client().post("/sign-in", {"username": name, "password": "wrong"})
        page = Page(response.content.decode())
        answers.append(page.words.replace(name, "NAME"))
        assert "That name and that password do not belong together." in page.words
        assert "wrong" not in page.text
    assert answers[0] == answers[1]


def test_too_many_wrong_passwords_are_held_with_a_page(db: None) -> None:
    make.person("mara")
    client = Client()
    for _ in range(10):
        response = client.post("/sign-in", {"username": "mara", "password": "wrong"})
    assert response.status_code == 429
    page = Page(response.content.decode())
    assert "held for five minutes" in page.words
    assert client.post("/sign-in", {"username": "mara", "password": make.PASSWORD}).status_code == 429


def test_signing_out_ends_the_session(client: Client) -> None:
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert client.get("/").status_code == 302


def test_a_password_is_changed_and_ends_the_other_sessions(reader: User) -> None:
    here, elsewhere = Client(), Client()
    here.force_login(reader)
    elsewhere.force_login(reader)
    form = {"old_password": make.PASSWORD, "new_password1": "a-much-better-one", "new_password2": "a-much-better-one"}
    response = here.post("/account/password", form, follow=True)
    assert "Your password is changed" in Page(response.content.decode()).words
    assert elsewhere.get("/").status_code == 302
    reader.refresh_from_db()
    assert reader.check_password("a-much-better-one")


def test_a_password_that_will_not_do_is_refused_with_the_reason(client: Client, reader: User) -> None:
    form = {"old_password": "wrong", "new_password1": "short", "new_password2": "other"}
    page = Page(client.post("/account/password", form).content.decode())
    assert "Your old password was entered incorrectly" in page.words
    reader.refresh_from_db()
    assert reader.check_password(make.PASSWORD)
    for field in page.all("input", type="password"):
        assert "value" not in field


def test_the_sign_in_page_asks_nothing_of_the_tables_of_registries(db: None) -> None:
    page = Page(Client().get("/sign-in").content.decode())
    assert page.all("input", name="username", autocomplete="username")
    assert page.all("input", name="password", autocomplete="current-password")
    assert not page.all("nav")
