"""The pages of policies: their order, the form in which one is set up, and what of it is kept."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import Entry
from cleanup.models import Policy, RetentionRun
from registries.models import Registry
from tests.web import furniture as make
from tests.web import harbour_retention as rows
from tests.web.pages import Page
from tests.web.retention_sent import said, typed
from tests.web.sync_sent import words, wrong_at

pytestmark = pytest.mark.django_db(databases="__all__")

NEWEST: Final = {"tags": "1.*\r\n!*-rc*", "newest_versions": "3", "line": "minor", "pulled_within": "30"}


@pytest.fixture
def policy(local: Registry) -> Policy:
    return rows.policy(local, "app", {"tags": ["1.*"], "newest": 3}, repositories=["team/*"])


def test_where_no_policy_is_staff_begins_with_what_many_want(
    client: Client, staff_client: Client, local: Registry
) -> None:
    for who, leads in ((client, False), (staff_client, True)):
        page = Page(who.get("/cleanup/policies").content.decode())
        assert "No policy yet" in page.words
        assert ("/cleanup/policies/add?preset=releases&registry=local" in page.links) is leads
    page = Page(staff_client.get("/cleanup/policies/add?preset=pull-requests&registry=local").content.decode())
    assert page.all("input", name="name", value="pull-requests")
    assert page.all("input", name="rule-0-younger_than", value="7")


def test_policies_stand_in_the_order_in_which_they_are_asked(staff_client: Client, policy: Policy) -> None:
    rows.policy(policy.registry, "rest", position=2, is_on=False)

    text = words(staff_client, "/cleanup/policies")
    assert text.index("app") < text.index("rest")
    assert "1.*: the 3 newest, by push" in text
    assert "All tags stay: it has no rule." in text

    response = staff_client.post("/cleanup/policies/rest/move", {"to": "up"})
    assert response.headers["Location"] == "/cleanup/policies?registry=local#rest"
    assert list(Policy.objects.in_order().values_list("name", flat=True)) == ["rest", "app"]
    staff_client.post("/cleanup/policies/rest/move", {"to": "up"})
    staff_client.post("/cleanup/policies/rest/move", {"to": "down"})
    assert list(Policy.objects.in_order().values_list("name", flat=True)) == ["app", "rest"]


def test_the_list_is_of_one_registry(client: Client, policy: Policy) -> None:
    rows.policy(make.registry("edge"), "of-edge")

    assert "of-edge" in words(client, "/cleanup/policies")
    assert "of-edge" not in words(client, "/cleanup/policies?registry=local")


def test_a_policy_is_added_as_it_was_said(staff_client: Client, local: Registry) -> None:
    rules = (NEWEST, {"tags": "pr-*", "line": "all"})
    response = staff_client.post(
        "/cleanup/policies/add",
        typed(
            *rules,
            repositories="team/*\r\n\r\n!team/prod",
            aliases="judged",
            may_empty="on",
            uses_created="on",
            when="cron",
            cron="30  4 * * *",
            zone="Asia/Seoul",
            window="02:00 - 06:00",
        ),
    )

    made = Policy.objects.get()
    assert response.headers["Location"] == made.get_absolute_url()
    assert made.terms == {
        "repositories": ["team/*", "!team/prod"],
        "rules": [
            {
                "tags": ["1.*", "!*-rc*"],
                "newest": None,
                "newest_versions": 3,
                "line": "minor",
                "younger_than": None,
                "pulled_within": 30,
            },
            {
                "tags": ["pr-*"],
                "newest": None,
                "newest_versions": None,
                "line": "all",
                "younger_than": None,
                "pulled_within": None,
            },
        ],
        "aliases": "judged",
        "may_empty": True,
        "uses_created": True,
        "schedule": {
            "when": "cron",
            "cron": "30 4 * * *",
            "zone": "Asia/Seoul",
            "every": 0,
            "window": "02:00-06:00",
        },
    }
    assert made.next_at is not None
    text = words(staff_client, made.get_absolute_url())
    for sentence in (
        "1.* but not *-rc*: the 3 highest versions of each minor version; what was pulled within 30 days",
        "pr-*: none stays by this rule",
        "daily at 04:30, within 02:00-06:00 (Asia/Seoul)",
        "Each is judged for itself",
        "It may go too.",
        "Plan it to see what would go.",
    ):
        assert sentence in text


@pytest.mark.parametrize(
    ("rule", "more", "at"),
    [
        (NEWEST, {"name": "Not so"}, "name"),
        (NEWEST, {"name": "add"}, "name"),
        (NEWEST, {"registry": "nobody"}, "registry"),
        (NEWEST, {"repositories": ""}, "repositories"),
        (NEWEST, {"repositories": "team/(x)"}, "repositories"),
        (NEWEST, {"zone": "Atlantis"}, "zone"),
        (NEWEST, {"window": "22-6"}, "window"),
        (NEWEST, {"when": "cron", "cron": "* * * * *"}, "cron"),
        (NEWEST, {"when": "every", "every": "1", "unit": "minutes"}, "every"),
        (NEWEST | {"tags": ""}, {}, "rule-0-tags"),
        (NEWEST | {"tags": "a b"}, {}, "rule-0-tags"),
        (NEWEST | {"newest": "0"}, {}, "rule-0-newest"),
        (NEWEST | {"pulled_within": "99999"}, {}, "rule-0-pulled_within"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    rule: dict[str, str], more: dict[str, str], at: str, staff_client: Client, local: Registry
) -> None:
    response = staff_client.post("/cleanup/policies/add", typed(rule, **more))

    assert response.status_code == 422
    assert wrong_at(response) == {at}
    assert not Policy.objects.exists()


def test_a_name_that_another_policy_has_is_refused(staff_client: Client, policy: Policy) -> None:
    assert wrong_at(staff_client.post("/cleanup/policies/add", typed(NEWEST))) == {"name"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"aliases": "judged", "may_empty": True, "uses_created": True, "is_on": False},
        {"schedule": {"when": "every", "every": 2 * 24 * 60, "zone": "UTC", "window": "", "cron": ""}},
    ],
)
def test_who_saves_a_policy_unchanged_changes_nothing(
    more: dict[str, Any], staff_client: Client, local: Registry
) -> None:
    made = rows.policy(local, "app", {"tags": ["*", "!1.*"], "newest_versions": 2, "line": "major"}, **more)
    before, url = made.read(), f"{made.get_absolute_url()}/edit"

    response = staff_client.post(url, said(staff_client.get(url).context["form"]))

    assert response.status_code == 302
    made.refresh_from_db()
    assert made.read() == before
    assert made.is_on is more.get("is_on", True)


def test_rules_are_added_and_taken_out_and_nothing_that_was_typed_is_lost(
    staff_client: Client, local: Registry
) -> None:
    body = typed(NEWEST, {"tags": "pr-*"}, repositories="(")

    for headers in ({}, {"HX-Request": "true"}):
        response = staff_client.post("/cleanup/policies/add", {**body, "more": "1"}, headers=headers)
        page = Page(response.content.decode())
        assert [found["value"] for found in page.all("input", name="rule")] == ["0", "1", "2"]
        assert page.all("input", name="rule-0-newest_versions", value="3")
        assert not page.all("div", **{"class": "errors"})
        response = staff_client.post("/cleanup/policies/add", {**body, "drop": "0"}, headers=headers)
        page = Page(response.content.decode())
        assert [found["value"] for found in page.all("input", name="rule")] == ["1"]
        assert "pr-*" in page.words
    assert not Policy.objects.exists()


def test_a_policy_is_switched_and_removed_and_no_tag_is_touched(staff_client: Client, policy: Policy) -> None:
    url = policy.get_absolute_url()

    staff_client.post(f"{url}/switch", {"on": "0"})
    assert "It is switched off" in words(staff_client, url)
    assert "No tag is touched by that." in words(staff_client, f"{url}/remove")
    response = staff_client.post(f"{url}/remove", follow=True)
    assert "The policy app is removed." in Page(response.content.decode()).words
    assert [entry.act for entry in Entry.objects.order_by("pk")] == ["policy-change", "policy-remove"]


def test_a_policy_that_cannot_be_read_is_shown_and_not_touched(staff_client: Client, policy: Policy) -> None:
    Policy.objects.update(terms={"version": 9})
    url = policy.get_absolute_url()

    assert "Cannot be read" in words(staff_client, "/cleanup/policies")
    assert "nothing is deleted in its registry" in words(staff_client, url)
    for page in ("edit", "switch"):
        response = staff_client.post(f"{url}/{page}", typed(NEWEST, on="1"), follow=True)
        assert "Nothing was changed." in Page(response.content.decode()).words
    assert Policy.objects.get().terms == {"version": 9}


def test_a_registry_that_was_removed_is_not_taken_for_another(staff_client: Client, policy: Policy) -> None:
    make.registry("other")
    url = f"{policy.get_absolute_url()}/edit"
    Registry.objects.filter(pk=policy.registry_id).update(retired_at=timezone.now())

    assert "Choose one" in words(staff_client, url)
    response = staff_client.post(url, said(staff_client.get(url).context["form"]) | {"registry": ""})
    assert wrong_at(response) == {"registry"}


def test_policies_take_as_many_queries_however_many_there_are(
    client: Client, policy: Policy, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(40):
        rows.policy(policy.registry, f"p{number}", {"tags": ["*"], "newest": 1}, position=number + 2)
        rows.run(policy.registry, RetentionRun.State.DONE)

    for url in ("/cleanup/policies", policy.get_absolute_url(), "/cleanup/runs"):
        with django_assert_max_num_queries(10):
            assert client.get(url).status_code == 200
    assert "28 of 41 policies" in words(client, "/cleanup/policies")


def test_the_activity_leads_to_a_policy(staff_client: Client, local: Registry) -> None:
    staff_client.post("/cleanup/policies/add", typed(NEWEST))

    page = Page(staff_client.get("/activity").content.decode())
    assert "/cleanup/policies/app" in page.links


def test_the_activity_says_which_fields_of_a_policy_were_changed(staff_client: Client, policy: Policy) -> None:
    url = f"{policy.get_absolute_url()}/edit"
    form = staff_client.get(url).context["form"]

    staff_client.post(url, said(form, repositories="*", may_empty="on", when="every", **{"rule-0-newest": "4"}))

    text = words(staff_client, "/activity")
    assert "Repositories: team/* → *, Rules, A repository may lose its last image: no → yes, When it runs" in text
