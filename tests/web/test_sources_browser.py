"""Sources and imports in a real browser: a file is taken over without scripts, and its pages are clean."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sync.models import Rule
from tests.web.harbour import Harbour
from tests.web.visit import Visit

pytestmark = [pytest.mark.long, pytest.mark.sampled(3)]

REGSYNC = """
creds:
  - {registry: quay.example.org, user: robot, pass: very secret}
defaults: {parallel: 2}
sync:
  - {source: quay.example.org/coreos/etcd, target: registry.lab.internal:5000/mirror/etcd, type: repository}
  - {source: "ocidir://here", target: registry.lab.internal:5000/mirror/here, type: repository}
"""


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_file_is_taken_over_without_scripts(chromium: Browser, berth: tuple[str, Harbour], tmp_path: Path) -> None:
    file = tmp_path / "regsync.yml"
    file.write_text(REGSYNC)
    context = chromium.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    page = visit.page
    visit.go("/sync/sources")
    page.get_by_role("link", name="Import rules").click()
    page.get_by_label("Its file").set_input_files(file)
    page.get_by_role("button", name="Show what would be added").click()
    page.get_by_role("button", name="Change the file").click()
    expect(page.get_by_label("Or what stands in it")).to_have_value(REGSYNC)
    page.get_by_role("button", name="Show what would be added").click()
    expect(page.get_by_role("heading", name="Add 1 rule?")).to_be_visible()
    page.get_by_role("button", name="Add them").click()
    expect(page.get_by_role("heading", name="1 rule is added")).to_be_visible()
    page.get_by_role("link", name="quay-example-org").click()
    expect(page.get_by_text("It was not tested yet.")).to_be_visible()
    context.close()
    assert not Rule.objects.get(name="coreos-etcd").is_on


def test_what_an_import_shows_is_clean(visit: Visit) -> None:
    page = visit.page
    visit.go("/sync/import")
    page.get_by_label("Or what stands in it").fill(REGSYNC)
    page.get_by_role("button", name="Show what would be added").click()
    visit.check_all_looks("what would be added")
    page.get_by_role("button", name="Add them").click()
    visit.check_all_looks("what was added")


def test_a_well_known_service_fills_the_form(visit: Visit) -> None:
    page = visit.page
    visit.go("/sync/sources")
    page.get_by_role("link", name="Add a source").click()
    page.get_by_role("link", name="Quay.io").click()
    expect(page.get_by_label("Address")).to_have_value("https://quay.io")
    expect(page.get_by_label("Requests a second")).to_have_value("2.0")
    page.get_by_text("Proxy and certificates").click()
    expect(page.get_by_label("Proxy", exact=True)).to_be_visible()
    visit.check_all_looks("a source to add")
