"""The activity in a browser: what is new is told and moves nothing, and the list is filtered where it stands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.audit.entries import told
from tests.web.visit import Visit

pytestmark = pytest.mark.sampled(3)


def test_what_is_new_waits_until_it_is_asked_for(visit: Visit) -> None:
    visit.go("/activity")
    page, first = visit.page, visit.page.locator("tbody tr").first
    before, place = first.inner_text(), first.bounding_box()
    told("new", tag="brand-new")
    expect(page.locator("#newer")).to_contain_text("1 new entry", timeout=15_000)
    expect(page.locator("#found")).to_have_text("1 new entry")
    assert (first.inner_text(), first.bounding_box()) == (before, place)
    visit.check("what is new")
    told("newer", tag="brand-newer")
    expect(page.locator("#newer")).to_contain_text("2 new entries", timeout=15_000)
    page.get_by_role("link", name="Show what is new").click()
    expect(page.locator("tbody tr").first).to_contain_text("brand-newer")
    expect(page.locator("#newer")).to_be_hidden()
    assert visit.complaints == []


def test_a_page_that_nobody_sees_asks_nothing(visit: Visit) -> None:
    visit.go("/activity")
    visit.page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    visit.requests.clear()
    visit.page.wait_for_timeout(6_000)
    assert visit.requests == []


def test_the_list_is_filtered_where_it_stands(visit: Visit) -> None:
    visit.go("/activity")
    page = visit.page
    page.keyboard.press("f")
    expect(page.get_by_role("searchbox", name="Repository")).to_be_focused()
    page.keyboard.type("platform/*")
    page.get_by_role("combobox", name="Act").select_option("pull")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("#found")).to_have_text("3 entries found")
    expect(page).to_have_url(re.compile("act=pull"))
    page.locator("h1").click()
    page.keyboard.press("j")
    expect(page.locator("[data-row]").first).to_be_focused()
    page.get_by_role("link", name="Act: Pulls").click()
    expect(page.get_by_role("combobox", name="Act")).to_have_value("")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    assert visit.complaints == []
