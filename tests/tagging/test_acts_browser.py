"""Each flow of acting on tags in a real browser, against a real registry, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Browser, expect

from registries.models import Registry
from registries.probing import probe
from tagging import rules
from tagging.models import ProtectionRule
from tests.real_registry import RealRegistry
from tests.tagging.acting import Actor
from tests.web import furniture as make
from tests.web.conftest import static_files
from tests.web.harbour import Harbour
from tests.web.served import served
from tests.web.visit import Visit

pytestmark = pytest.mark.sampled(3)

__all__ = ["static_files"]

REPOSITORY = "/r/test/team/app"


@pytest.fixture
def desk(transactional_db: None, tmp_path: Path, chromium: Browser) -> Iterator[tuple[Visit, Actor]]:
    """A window in which Mara has signed in, and what she works on."""
    with RealRegistry(tmp_path) as real:
        row = Registry.objects.create(name="test", url=real.url)
        probe(row)
        actor = Actor(real, row, make.person("mara", staff=True))
        actor.push.image("1.0", "stable", "latest")
        actor.push.image("2.0", seed="2")
        actor.scan()
        context = chromium.new_context(viewport={"width": 1360, "height": 900}, reduced_motion="reduce")
        with served() as origin:
            visit = Visit(context.new_page(), origin, cast("Harbour", None))
            visit.sign_in()
            yield visit, actor
        context.close()


def press(visit: Visit, *keys: str) -> None:
    for key in keys:
        visit.page.keyboard.press(key)


def reach(visit: Visit, name: str, role: str = "button") -> None:
    """Go forward with Tab until the control of that name has the focus, and press it."""
    wanted = visit.page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
    for _ in range(80):
        if wanted.evaluate("element => element === document.activeElement"):
            visit.page.keyboard.press("Enter")
            return
        visit.page.keyboard.press("Tab")
    pytest.fail(f"{name} cannot be reached by keyboard")


def test_a_tag_is_selected_deleted_and_restored(desk: tuple[Visit, Actor]) -> None:
    visit, actor = desk
    page = visit.page
    visit.go(f"{REPOSITORY}?sort=tag")
    press(visit, "j", "x")
    bar = page.get_by_role("region", name="Selection")
    expect(bar).to_contain_text("Images selected: 1 Tags meant: 1.0. Other tags of these images stay: latest, stable")
    visit.check("the selection")
    reach(visit, "Delete…")
    page.wait_for_url("**/plans/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete the tag 1.0 of team/app")
    visit.check_all_looks("the plan")
    page.get_by_label("Why").focus()
    page.keyboard.type("built from the wrong branch")
    press(visit, "Enter")
    expect(page.get_by_role("status").filter(has_text="Done: 1 of 1.")).to_be_visible()
    assert actor.listed() == {"stable", "latest", "2.0"}
    visit.check_all_looks("the plan, carried out")

    page.get_by_role("link", name="Skip to content").focus()
    reach(visit, "Undo")
    expect(page.get_by_role("heading", level=1)).to_have_text("Restore in team/app")
    assert actor.listed() == {"1.0", "stable", "latest", "2.0"}


def test_a_selection_names_a_protected_tag_and_not_its_lock(desk: tuple[Visit, Actor]) -> None:
    visit, actor = desk
    rules.add(ProtectionRule(tags="l*"), actor.person)
    visit.go(f"{REPOSITORY}?sort=tag")
    press(visit, "j", "x")
    bar = visit.page.get_by_role("region", name="Selection")
    expect(bar).to_contain_text("Tags meant: 1.0. Other tags of these images stay: latest, stable")


def test_what_the_filter_found_is_what_goes(desk: tuple[Visit, Actor]) -> None:
    visit, actor = desk
    page = visit.page
    visit.go(f"{REPOSITORY}?q=sta")
    page.get_by_label("Select all on this page").press("Space")
    expect(page.get_by_role("region", name="Selection")).to_contain_text("Tags meant: stable. Other tags of these")
    page.get_by_role("button", name="Delete…").press("Enter")
    page.get_by_role("button", name="Delete 1 tag").press("Enter")
    expect(page.get_by_text("Done: 1 of 1.")).to_be_visible()
    assert actor.listed() == {"1.0", "latest", "2.0"}
    assert visit.complaints == []


def test_the_trash_by_keyboard(desk: tuple[Visit, Actor]) -> None:
    visit, actor = desk
    actor.carry_out(actor.plan_tags("1.0", "2.0"))
    page = visit.page
    visit.go("/trash")
    press(visit, "j", "x")
    visit.check_all_looks("the trash, one chosen")
    page.set_viewport_size({"width": 1360, "height": 900})
    page.get_by_role("button", name="Check", exact=True).press("Enter")
    expect(page.get_by_role("region", name="Selection")).to_be_hidden()  # the page has come anew
    expect(page.get_by_text("1 entry was checked.")).to_be_visible()
    expect(page.get_by_role("table").get_by_text("Restorable")).to_have_count(2)
    page.get_by_label("Select all on this page").press("Space")
    page.get_by_role("button", name="Restore", exact=True).press("Enter")
    expect(page.get_by_text("Done: 2 of 2.")).to_be_visible()
    assert actor.listed() == {"1.0", "stable", "latest", "2.0"}


def test_what_leaves_the_trash_for_good_is_asked_about_first(desk: tuple[Visit, Actor]) -> None:
    visit, actor = desk
    actor.carry_out(actor.plan_tags("2.0"))
    page = visit.page
    visit.go("/trash")
    press(visit, "j", "x")
    reach(visit, "Delete for good…")
    dialog = page.get_by_role("dialog", name="Delete for good?")
    visit.check("the question")
    press(visit, "Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Delete for good…")).to_be_focused()
    press(visit, "Enter")
    dialog.get_by_role("button", name="Delete for good").press("Enter")
    expect(page.get_by_text("1 entry is gone for good.")).to_be_visible()


def test_an_image_is_tagged_and_its_tag_points_back(desk: tuple[Visit, Actor]) -> None:
    visit, actor = desk
    page = visit.page
    old = actor.push_digest("latest")
    visit.go(f"{REPOSITORY}/-/tags/2.0")
    page.get_by_role("link", name="Tag or copy").press("Enter")
    page.get_by_label("New tag").fill("latest")
    visit.check_all_looks("tag or copy")
    page.get_by_role("button", name="Go on").press("Enter")
    expect(page.get_by_text("Nothing was changed yet.")).to_be_visible()
    page.get_by_role("button", name="Move the tag").press("Enter")
    expect(page.get_by_text("Done: 1 of 1.")).to_be_visible()
    assert actor.push_digest("latest") == actor.push_digest("2.0")

    visit.go(f"{REPOSITORY}/-/tags/latest/history")
    visit.check_all_looks("the history")
    page.get_by_role("button", name="Point latest back to").press("Enter")
    expect(page.get_by_text("Done: 1 of 1.")).to_be_visible()
    assert actor.push_digest("latest") == old


def test_a_rule_shows_what_it_matches_while_it_is_typed(desk: tuple[Visit, Actor]) -> None:
    visit, actor = desk
    page = visit.page
    visit.go("/protection")
    page.get_by_label("Tags", exact=True).press_sequentially("?.0")
    expect(page.get_by_text("It matches 2 tags now, in repositories: 1")).to_be_visible()
    visit.check_all_looks("protected tags, a preview")
    press(visit, "Enter")
    expect(page.get_by_text("*:?.0 is protected from now on.")).to_be_visible()
    plan = actor.carry_out(actor.plan_tags("1.0"))
    assert actor.outcomes(plan) == {"1.0": "skipped"}
    visit.go(plan.get_absolute_url())
    expect(page.get_by_text("it is protected by the rule *:?.0")).to_be_visible()


def test_a_repository_asks_for_its_name(desk: tuple[Visit, Actor]) -> None:
    visit, actor = desk
    page = visit.page
    visit.go(REPOSITORY)
    page.get_by_text("Delete this repository…").press("Enter")
    page.get_by_role("button", name="Plan to delete it").press("Enter")
    visit.check_all_looks("the plan of a repository")
    page.get_by_label("Type the name of the repository to confirm").fill("team/app")
    press(visit, "Enter")
    expect(page.get_by_text("Done: 6 of 6.")).to_be_visible()
    assert actor.listed() == set()


def test_a_large_plan_is_a_job_that_is_watched(desk: tuple[Visit, Actor]) -> None:
    visit, actor = desk
    page = visit.page
    actor.push.image(*(f"t{n}" for n in range(120)), seed="many")
    actor.scan()
    plan = actor.plan_tags(*(f"t{n}" for n in range(110)))
    visit.go(plan.get_absolute_url())
    page.get_by_role("button", name="Delete 110 tags").press("Enter")
    assert page.url.endswith(plan.get_absolute_url())  # the name was not typed: the browser says so
    page.get_by_label("Type the name of the repository to confirm").fill("team/app")
    press(visit, "Enter")
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    visit.check("a plan under way")
