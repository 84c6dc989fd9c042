"""Connecting a client and choosing a tool in a real browser: all looks, by keyboard, and without scripts."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Browser, expect

from registries.models import Registry
from tests.web.harbour import Harbour
from tests.web.visit import Visit

PAGE: Final = "/registries/local/connect"
PEM: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def test_the_page_is_clean_in_all_looks(chromium: Browser, berth: tuple[str, Harbour]) -> None:
    Registry.objects.filter(name="edge").update(ca=PEM, capabilities={"auth": "basic"})
    context = chromium.new_context(reduced_motion="reduce")
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    for path in (f"{PAGE}?system=linux&client=docker", "/registries/edge/connect?system=windows&client=containerd"):
        visit.go(path)
        visit.check_all_looks(path)
    visit.go(f"{PAGE}?system=macos&client=podman")
    visit.page.get_by_text("If its certificate is signed").click()
    visit.check_all_looks("an open fold")
    context.close()


def test_a_tool_is_chosen_by_keyboard_and_nothing_else_of_the_page_changes(visit: Visit) -> None:
    page = visit.page
    visit.go("/r/local/platform/api/-/tags/1.27")
    page.get_by_role("button", name="More ways").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Podman", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ways .cmd").first).to_contain_text("podman pull --tls-verify=false")
    expect(page.locator("#first-way .cmd")).to_contain_text("podman pull --tls-verify=false")
    expect(page.get_by_role("button", name="Podman", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name="Podman", exact=True)).to_have_attribute("aria-pressed", "true")
    page.emulate_media(reduced_motion="reduce")  # so that no colour is on its way from one theme to the other
    visit.check_all_looks("the ways of another tool")
    page.get_by_role("link", name="Connect a client").first.click()
    expect(page.get_by_role("navigation", name="Client").locator("[aria-current]")).to_have_text(
        "Podman, skopeo, Buildah"
    )
    page.get_by_role("link", name="Windows").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="System").locator("[aria-current]")).to_have_text("Windows")
    page.locator(".file .copy").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-live]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("[[registry]]\nlocation =")
    assert visit.complaints == []


def test_tool_system_and_client_are_chosen_without_scripts(chromium: Browser, berth: tuple[str, Harbour]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    page = visit.page
    visit.go("/r/local/platform/api/-/tags/1.27")
    page.get_by_role("button", name="More ways").click()
    page.get_by_role("button", name="nerdctl").click()
    expect(page.locator("#first-way .cmd")).to_contain_text("nerdctl --insecure-registry pull")
    visit.go(PAGE)
    page.get_by_role("link", name="macOS").click()
    page.get_by_role("link", name="Docker", exact=True).click()
    expect(page.get_by_text("Settings: Docker Engine")).to_be_visible()
    page.get_by_role("button", name="Show docker first").click()
    expect(page.get_by_role("button", name="Show docker first")).to_have_count(0)
    expect(page.locator(".copy:visible")).to_have_count(0)
    context.close()
