"""A README in a real browser: written with and without scripts, and nothing in it runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from catalog import card as cards
from tests.web.harbour import Harbour
from tests.web.test_prose import HOSTILE
from tests.web.visit import Visit

pytestmark = pytest.mark.sampled(3)

README = "/r/local/platform/api/-/readme"
NEW = "/r/local/web/admin/-/readme/edit"


def test_nothing_in_a_hostile_readme_runs(visit: Visit) -> None:
    text = "\n\n".join(f"{text}\n\n# {text}\n\n- {text}\n\n|a|\n|-|\n|{text}|" for text in HOSTILE)
    cards.edit(visit.harbour.odd, cards.Said("<script>alert(1)</script>", text), began_from=0, by="<b>x</b>")
    page = visit.page
    page.emulate_media(reduced_motion="reduce")
    page.on("dialog", lambda dialog: visit.complaints.append(f"dialog: {dialog.message}"))
    for path in ("/r/local/odd/things/-/readme", "/r/local/odd/things/-/readme/edit"):
        visit.go(path)
        for link in page.locator(".prose a").all():
            link.dispatch_event("mouseover")
        page.wait_for_timeout(200)
        visit.check_all_looks(path)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview .prose")).to_contain_text("<script>alert(1)</script>")
    visit.check("the preview")
    assert page.locator(".prose :is(script, img, svg, iframe, style, form, input, math, base)").count() == 0


def test_it_is_written_by_keyboard(visit: Visit) -> None:
    page = visit.page
    page.emulate_media(reduced_motion="reduce")
    visit.go("/r/local/web/admin")
    page.get_by_role("link", name="Add a README").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/-/readme/edit")
    page.get_by_label("Owner").focus()
    page.keyboard.type("Web team")
    page.keyboard.press("Tab")
    page.keyboard.type("# Admin\n\nFor *those* who look after it / j k ?")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Preview")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#preview").get_by_role("heading", name="Admin")).to_be_visible()
    expect(page).to_have_url(visit.origin + NEW)
    visit.check_all_looks("a form with its preview")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/web/admin/-/readme")
    expect(page.get_by_role("heading", name="Admin", level=2)).to_be_visible()
    expect(page.get_by_text("Owner Web team")).to_be_visible()
    assert visit.complaints == []


def test_who_saves_second_keeps_both_texts(visit: Visit) -> None:
    page = visit.page
    page.emulate_media(reduced_motion="reduce")
    visit.go(f"{README}/edit")
    cards.edit(visit.harbour.api, cards.Said("Platform team", "# Theirs"), began_from=1, by="Noa")
    page.get_by_label("README").fill("# Mine")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("README, as it is saved")).to_have_value("# Theirs")
    expect(page.get_by_label("README", exact=True)).to_have_value("# Mine")
    visit.complaints = [complaint for complaint in visit.complaints if "409" not in complaint]  # the browser's own line
    visit.check_all_looks("a conflict")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()


def test_it_is_written_without_scripts(chromium: Browser, berth: tuple[str, Harbour]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    page = visit.page
    visit.go(f"{README}/edit")
    page.get_by_label("README").fill("# Anew")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Anew")).to_be_visible()
    expect(page.get_by_label("README")).to_have_value("# Anew")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{README}")
    page.get_by_role("link", name="Edit README and owner").click()
    page.get_by_text("Delete the README…").click()
    page.get_by_role("button", name="Delete the README").click()
    page.wait_for_url("**/r/local/platform/api")
    expect(page.get_by_text("The README is deleted.")).to_be_visible()
    context.close()


def test_a_wide_table_scrolls_in_itself(chromium: Browser, berth: tuple[str, Harbour]) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    visit.go(README)
    box = visit.page.get_by_role("group", name="Table")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    visit.check(README)
    context.close()
