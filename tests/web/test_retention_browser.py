"""The form of a policy in a real browser: rules come and go, and what would go is told while somebody types."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.web.visit import Visit

pytestmark = [pytest.mark.long, pytest.mark.sampled(3), pytest.mark.django_db(transaction=True, databases="__all__")]


def test_what_would_go_is_told_while_a_policy_is_typed(visit: Visit) -> None:
    page = visit.page
    visit.go("/cleanup/policies/add?preset=pull-requests&registry=local")
    trial = page.locator("#trial")

    page.get_by_role("button", name="Another rule").click()
    page.locator("[name=rule-1-tags]").fill("1.27.*")
    page.locator("[name=rule-1-newest_versions]").fill("1")
    page.locator("[name=trial_repository]").fill("platform/api")
    page.locator("[name=trial_tag]").fill("1.27.3")
    expect(trial).to_contain_text("1.27.3 stays")
    expect(trial).to_contain_text("the highest version of all versions")

    expect(trial).to_contain_text("mr-*")
    page.get_by_role("button", name="Take rule 1 out").click()
    expect(page.locator("[name=rule-0-tags]")).to_have_count(0)
    expect(page.locator("[name=rule-1-tags]")).to_have_value("1.27.*")
    expect(trial).not_to_contain_text("mr-*")
    page.get_by_role("button", name="Add the policy").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("pull-requests")
    assert not visit.complaints


def test_a_policy_says_which_of_its_rules_keeps_a_tag(visit: Visit) -> None:
    page = visit.page
    visit.go("/cleanup/policies/platform")

    page.get_by_label("Repository").fill("platform/api")
    page.get_by_label("Tag, if only one is asked for").fill("1.27.3")

    expect(page.locator("#trial")).to_contain_text("1.27.3 stays")
    expect(page.locator("#trial")).to_contain_text("among the newest 3 versions of 1.27")
    assert not visit.complaints
