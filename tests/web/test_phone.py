"""A narrow window: what the wide one shows is there too, and nothing is cut without a sign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from tests.web.harbour import Harbour
from tests.web.visit import Visit

IMAGE: Final = "/r/local/platform/api/-/tags/1.27.3?platform=linux/arm64"


@pytest.fixture
def phone(chromium: Browser, berth: tuple[str, Harbour]) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    yield visit
    context.close()


def test_a_list_is_sorted_both_ways_and_hides_no_link(phone: Visit) -> None:
    page, rows = phone.page, phone.page.locator("[data-row]")
    page.get_by_label("Sort").select_option("Name Z to A")
    expect(rows.first).to_have_text("web/storefront")
    page.get_by_label("Sort").select_option("Name A to Z")
    expect(rows.first).to_have_text("base/debian")
    page.get_by_label("Sort").focus()
    page.keyboard.press("Tab")
    expect(rows.first).to_be_focused()
    expect(page.locator("tr", has_text="platform/api").get_by_text("133 tags")).to_be_visible()
    phone.check("the list of repositories")


def test_a_command_is_shown_to_its_end(phone: Visit) -> None:
    for path in ("/r/local/platform/api", IMAGE):
        phone.go(path)
        assert phone.page.locator("main .cmd code:visible").count() > 0
        cut = phone.page.locator("main .cmd code").evaluate_all(
            "codes => codes.filter(code => code.scrollWidth > code.clientWidth).length"
        )
        assert cut == 0
