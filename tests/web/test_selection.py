"""Selecting images of a repository, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from catalog.reads.keyset import SIZE
from tests.web import furniture as make
from tests.web.visit import Visit

pytestmark = pytest.mark.sampled(3)

PATH = "/r/local/many/tags"


@pytest.fixture
def many(visit: Visit) -> Visit:
    """A repository of 60 images, of which a page shows fewer."""
    where = make.repository(visit.harbour.registry, "many/tags")
    for number in range(60):
        make.put(
            where, make.image([(f"layer {number}", number + 1)]), f"1.{number}", *(["latest"] if number == 59 else [])
        )
    make.settle(where)
    visit.go(f"{PATH}?sort=-tag")
    return visit


def boxes(visit: Visit) -> list[bool]:
    return [box.is_checked() for box in visit.page.locator("[data-pick]").all()]


def said(visit: Visit) -> str:
    return visit.page.locator("[data-selected]").inner_text()


def test_a_range_the_page_and_all_that_fit_are_selected(many: Visit) -> None:
    page = many.page
    bar = page.get_by_role("region", name="Selection")
    expect(bar).to_be_hidden()

    page.get_by_label("Select 1.59").click()
    assert said(many) == "Images selected: 1"
    expect(bar).to_contain_text("Tags meant: 1.59. Other tags of these images stay: latest")
    page.get_by_label("Select 1.55").click(modifiers=["Shift"])
    assert boxes(many)[:6] == [True] * 5 + [False]
    assert said(many) == "Images selected: 5"
    many.check(f"{PATH}, some selected")

    page.get_by_label("Select all on this page").click()
    assert all(boxes(many))
    page.get_by_role("button", name="Select all that fit the filter: 60").click()
    assert said(many) == "All images that fit the filter are selected: 60"
    expect(bar).to_contain_text("Of each the tag shown first is meant")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save their list").click()
    assert len(download.value.path().read_text().splitlines()) == 61

    page.get_by_label("Select 1.40").click()
    assert said(many) == f"Images selected: {SIZE - 1}"
    expect(bar).to_contain_text(f"Tags meant: 1.59, 1.58, 1.57, 1.56, 1.55, 1.54, 1.53, 1.52 +{SIZE - 9}.")
    page.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    assert not any(boxes(many))
    many.check_all_looks(PATH)


def test_the_keyboard_selects_and_the_references_are_copied(many: Visit) -> None:
    page = many.page
    for key in ("j", "x", "j", "j", "x"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Copy references").click()
    expect(page.locator("[data-live]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert [line.rpartition("/")[2] for line in copied] == ["tags:1.59", "tags:1.57"]


def test_a_changed_filter_ends_the_selection(many: Visit) -> None:
    page = many.page
    page.get_by_label("Select 1.59").click()
    page.get_by_role("searchbox", name="Filter tags").fill("1.3")
    expect(page.locator("[data-pick]")).to_have_count(11)
    expect(page.get_by_role("region", name="Selection")).to_be_hidden()
