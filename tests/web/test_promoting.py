"""The form that copies selected tags to another registry."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Repository
from registries.models import Registry
from sync.models import Run
from sync.terms import Terms
from tests.web import furniture as make
from tests.web.pages import Page

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def app(local: Registry) -> Repository:
    where = make.repository(local, "team/app")
    make.put(where, make.image(), "1.0", "latest")
    make.registry("prod")
    return where


def address(of: Repository) -> str:
    return reverse("promote", args=[of.registry.name, of.name])


def test_the_list_leads_to_a_form_for_the_tags_that_are_selected(staff_client: Client, app: Repository) -> None:
    answer = staff_client.post(address(app), {"tag": ["1.0", "latest"]})

    page = Page(answer.content.decode())
    assert answer.status_code == 200
    assert "2 tags of team/app" in page.text
    assert page.all("input", name="repository")[0]["value"] == "team/app"
    assert page.all("option", value="prod")[0].keys() >= {"selected"}
    assert not Run.objects.exists()


def test_a_tag_goes_there_under_another_name(staff_client: Client, app: Repository) -> None:
    said = {
        "tag": "1.0",
        "registry": "prod",
        "repository": "live/app",
        "new_tag": "stable",
        "moved": "leave",
        "go": "run",
    }
    answer = staff_client.post(address(app), said)

    run = Run.objects.select_related("target", "source", "job").get()
    assert answer["Location"] == run.get_absolute_url()
    assert (run.source.name, run.target.name, run.actor) == ("local", "prod", "staff")
    terms = Terms.read(run.terms)
    assert (terms.repositories, terms.into, terms.moved) == (("team/app",), "live/app", "leave")
    assert terms.pins[0].startswith("stable@sha256:")
    assert run.job is not None
    assert "only_plan" not in run.job.params


def test_a_preview_only_plans(staff_client: Client, app: Repository) -> None:
    said = {"tag": ["1.0", "latest"], "registry": "prod", "repository": "app", "moved": "back-up", "go": "plan"}
    staff_client.post(address(app), said)

    job = Run.objects.select_related("job").get().job
    assert job is not None
    assert job.params["only_plan"]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"repository": "Team/App"}, "Small letters and digits"),
        ({"registry": "nowhere"}, "Select a valid choice"),
        ({"registry": "local", "repository": "team/app"}, "That is where they are."),
        ({"new_tag": "-x"}, "no . or - first"),
        ({"moved": "sideways"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_meant_is_said(staff_client: Client, app: Repository, said: dict[str, str], wrong: str) -> None:
    good = {"tag": "1.0", "registry": "prod", "repository": "app", "new_tag": "", "moved": "leave", "go": "run"}

    answer = staff_client.post(address(app), good | said)

    assert answer.status_code == 422
    assert wrong in Page(answer.content.decode()).text
    assert not Run.objects.exists()


def test_nothing_selected_and_too_much_lead_back(staff_client: Client, app: Repository) -> None:
    nothing = staff_client.post(address(app), {})
    much = staff_client.post(address(app), {"tag": [f"t{n}" for n in range(501)]})

    assert "No tag was selected" in Page(nothing.content.decode()).text
    assert "select fewer" in Page(much.content.decode()).text


def test_one_of_several_that_has_gone_since_is_said(staff_client: Client, app: Repository) -> None:
    """Not copied without a word: somebody rests on all of them."""
    said = {"tag": ["1.0", "9.9", "latest"], "registry": "prod", "repository": "app", "moved": "leave", "go": "run"}
    answer = staff_client.post(address(app), said, follow=True)

    assert "These tags are not there any more: 9.9." in Page(answer.content.decode()).text
    assert not Run.objects.exists()


def test_a_tag_that_has_gone_since_is_said(staff_client: Client, app: Repository) -> None:
    said = {"tag": "9.9", "registry": "prod", "repository": "app", "new_tag": "", "moved": "leave", "go": "run"}
    answer = staff_client.post(address(app), said, follow=True)

    assert "None of these tags is there any more" in Page(answer.content.decode()).text
