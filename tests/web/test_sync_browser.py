"""Sync in a real browser: a rule is tried while it is typed, and a run is followed to its end."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, expect

from jobs.models import Job
from sync.models import Rule, Run
from tests.web.harbour import Harbour
from tests.web.visit import Visit

pytestmark = [pytest.mark.sampled(3), pytest.mark.django_db(transaction=True, databases="__all__")]


def test_a_rule_is_tried_while_it_is_typed(visit: Visit) -> None:
    cache.clear()
    page = visit.page
    visit.go("/sync/rules/add")
    page.locator("[name=name]").fill("copies")
    page.locator("[name=source]").select_option("local")
    page.locator("[name=target]").select_option("edge")
    page.locator("[name=repositories]").fill("platform/api")
    trial = page.locator("#trial")
    expect(trial).to_contain_text("edge/platform/api")
    expect(trial).to_contain_text("as the catalog has them")

    page.locator("[name=allow]").fill("nightly*")
    expect(trial).to_contain_text("29 tags in,")
    page.locator("[name=into]").fill("copies/{name}")
    expect(trial).to_contain_text("edge/copies/api")
    page.locator("[name=allow]").fill("/(/")
    expect(trial).to_contain_text("/(/ is no pattern for tags.")
    assert not Rule.objects.filter(name="copies").exists()

    page.locator("[name=allow]").fill("nightly")
    expect(trial).to_contain_text("1 tag in,")
    visit.check("a form that was tried")
    page.get_by_role("button", name="Add the rule").click()
    page.wait_for_url("**/sync/rules/copies")
    assert Rule.objects.get(name="copies").details.choice.allow == ("nightly",)
    assert visit.complaints == []


def test_what_it_would_take_is_seen_before_it_is_saved(visit: Visit) -> None:
    """Also on a phone, where one thing stands below the other; and Enter saves, as in every form."""
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    visit.go("/sync/rules/python/edit")
    trial = page.get_by_role("heading", name="What it would take").bounding_box()
    save = page.get_by_role("button", name="Save").bounding_box()
    assert trial is not None
    assert save is not None
    assert trial["y"] < save["y"]
    page.get_by_role("button", name="Try it").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Save")).to_be_focused()

    page.locator("[name=into]").fill("copies/{name}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sync/rules/python")
    assert Rule.objects.get(name="python").details.into == "copies/{name}"


def test_what_does_not_count_is_not_asked(visit: Visit) -> None:
    page = visit.page
    visit.go("/sync/rules/add")
    for chosen, asked in (
        ("By the clock", page.locator("[name=cron]")),
        ("Every so often", page.locator("[name=unit]")),
        ("keep what it pointed to", page.locator("[name=backup]")),
        ("linux/arm64", page.get_by_label("Few registries take one")),
    ):
        expect(asked).to_be_hidden()
        page.get_by_label(re.compile(chosen)).check()
        expect(asked).to_be_visible()


def test_a_run_is_followed_to_its_end(visit: Visit) -> None:
    page, run = visit.page, visit.harbour.runs.under_way
    job = run.job
    assert job is not None
    visit.go(run.get_absolute_url())
    expect(page.get_by_text("12 of 45 images")).to_be_visible()
    Job.objects.filter(pk=job.pk).update(progress={**job.progress, "images": [30, 45], "under_way": []})
    expect(page.get_by_text("30 of 45 images")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()

    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE, message="40 copied, 2 unchanged.")
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, finished_at=timezone.now())
    expect(page.get_by_text("40 copied, 2 unchanged.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    visit.check("a run that ended")
    asked = len(visit.requests)
    page.wait_for_timeout(1600)
    assert len(visit.requests) == asked


def test_a_rule_is_tried_without_script(chromium: Browser, berth: tuple[str, Harbour]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    page = visit.page
    visit.go("/sync/rules/add")
    page.locator("[name=name]").fill("copies")
    page.locator("[name=source]").select_option("local")
    page.locator("[name=repositories]").fill("platform/api")
    page.locator("[name=allow]").fill("nightly")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#trial")).to_contain_text("1 tag in,")
    expect(page.locator("[name=name]")).to_have_value("copies")
    assert not Rule.objects.filter(name="copies").exists()
    context.close()
