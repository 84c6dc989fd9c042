"""Copying selected tags to another registry, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from oci.names import parse_tag
from sync.models import Run
from sync.naming import pin_of
from sync.terms import Terms
from tests.web.visit import Visit

pytestmark = [pytest.mark.sampled(3), pytest.mark.django_db(transaction=True, databases="__all__")]

PATH = "/r/local/platform/api"


def copied() -> set[str]:
    """The tags that the last run was asked for."""
    terms = Terms.read(Run.objects.latest("pk").terms)
    return {str(pin_of(pin)[0]) for pin in terms.pins}


def test_one_tag_is_copied_under_another_name(visit: Visit) -> None:
    page = visit.page
    visit.go(PATH)
    page.get_by_label("Select 1.26.2", exact=True).check()
    page.get_by_role("button", name="Copy to…").click()
    expect(page.get_by_text("platform/api:1.26.2, with all its platforms")).to_be_visible()
    visit.check_all_looks("one tag, to copy")

    page.get_by_label("Repository there").fill("Live/API")
    page.get_by_label("Tag there").fill("stable")
    page.get_by_role("button", name="Copy the tag").click()
    expect(page.get_by_text("Small letters and digits, with . _ -")).to_be_visible()
    expect(page.get_by_label("Tag there")).to_have_value("stable")
    assert [line for line in visit.complaints if "422" not in line] == []
    visit.complaints.clear()
    visit.check_all_looks("one tag, wrongly said")

    page.get_by_label("Repository there").fill("live/api")
    page.get_by_label("Leave it alone, and say so").check()
    page.get_by_role("button", name="Copy the tag").click()
    page.wait_for_url("**/sync/runs/*")
    run = Run.objects.select_related("target").latest("pk")
    assert (run.target.name, Terms.read(run.terms).into, copied()) == ("edge", "live/api", {parse_tag("stable")})


def test_all_that_the_filter_leaves_are_previewed(visit: Visit) -> None:
    page = visit.page
    visit.go(f"{PATH}?q=nightly")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Copy to…").click()
    expect(page.get_by_text("29 tags of platform/api")).to_be_visible()
    page.get_by_text("The tags", exact=True).click()
    expect(page.get_by_text("nightly-20260903", exact=True)).to_be_visible()
    visit.check_all_looks("29 tags, to copy")

    page.get_by_role("button", name="Preview").click()
    page.wait_for_url("**/sync/runs/*")
    assert len(copied()) == 29
    assert all(tag.startswith("nightly") for tag in copied())


def test_nothing_but_what_fits_the_filter_is_copied(visit: Visit) -> None:
    """Also where all of it was chosen at once, on whatever page."""
    page = visit.page
    visit.go(f"{PATH}?group=releases")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Select all that fit the filter").click()
    page.get_by_role("button", name="Copy to…").click()
    expect(page.get_by_text("tags of platform/api, with all")).to_be_visible()
    tags = {box.get_attribute("value") or "" for box in page.locator("input[name=tag]").all()}
    assert "1.27.3" in tags
    assert not [tag for tag in tags if tag.startswith(("nightly", "sha-"))]
