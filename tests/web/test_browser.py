"""A walk through every page in a real browser: light and dark, wide and narrow, by keyboard, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Request, expect

from jobs.models import Job
from tests.sampling import of_today
from tests.web import harbour_events
from tests.web.harbour import Harbour
from tests.web.visit import Visit

pytestmark = pytest.mark.long

TAG: Final = "/r/local/platform/api/-/tags"
ODD: Final = "/r/local/odd/things/-/tags"
PAGES: Final = (
    "/",
    "/?state=problems",
    "/?state=gone",
    "/?q=nothing-of-that-name",
    "/?sort=-name",
    "/r/local",
    "/r/edge",
    "/r/local/platform/api",
    "/r/local/platform/api?kind=attached",
    "/r/local/platform/api?group=releases&sort=-tag&age=30d",
    "/r/local/platform/api?platform=other",
    "/r/local/platform/api/-/timeline",
    "/r/local/odd/things",
    "/r/local/team/retired",
    "/r/local/team/retired/-/gone-tags",
    "/r/local/team/abandoned",
    "/r/local/legacy/reports",
    "/r/local/platform/api/-/readme",
    "/r/local/platform/api/-/readme/edit",
    "/r/local/platform/gateway/-/readme",
    f"{TAG}/1.27.3",
    f"{TAG}/1.27.3?platform=linux/arm64",
    f"{TAG}/1.27.3?view=dockerfile",
    f"{TAG}/nightly",
    f"{ODD}/half?platform=linux/arm64",
    f"{ODD}/unread",
    f"{ODD}/no-json",
    f"{ODD}/reproducible",
    f"{ODD}/garbage",
    f"{ODD}/chart-1.27.3",
    f"{ODD}/model",
    f"{ODD}/vanished",
    *(f"/r/local/odd/artifacts/-/tags/{tag}" for tag in ("chart-1.27.3", "wasm", "llm", "buildcache", "mixed")),
    "/r/local/odd/artifacts",
    "/jobs",
    "/r/local?ns=platform",
    "/?ns=platform/auth",
    "/?ns=nowhere/at/all",
    "/registries/local",
    "/registries/local?ns=platform",
    "/registries/local/scans",
    "/registries/local/watched",
    "/registries/edge",
    "/registries/edge/watched",
    "/registries/edge/connect",
    "/registries/local/events",
    "/registries/edge/events?url=https://berth.example.org",
    "/activity",
    "/activity?tag=1.27.3",
    "/activity?act=breaches&actor=nobody&from=2026-01-01",
    "/r/local/platform/api?sort=pulls",
    "/trash",
    "/trash?repository=nothing",
    "/protection",
    "/storage",
    "/storage/local",
    "/storage/local?namespace=platform",
    "/storage/local?namespace=nowhere",
    "/storage/local/repositories",
    "/storage/local/images",
    "/storage/local/images?namespace=nowhere",
    "/storage/local/repeated",
    "/storage/edge",
    "/storage/edge/repeated",
    "/sync",
    "/sync?q=nothing",
    "/sync/runs",
    "/sync/rules/golang",
    "/sync/rules/python",
    "/sync/rules/add",
    "/sync/rules/golang/edit",
    "/sync/rules/golang/remove",
    "/cleanup",
    "/cleanup/sweeps",
    "/cleanup/sweeps?registry=edge",
    "/cleanup/sweeps/terms/local",
    "/cleanup/health",
    "/cleanup/health?registry=edge",
    "/cleanup/health/broken",
    "/cleanup/health/incomplete",
    "/cleanup/health/empty",
    "/cleanup/untagged",
    "/cleanup/untagged?registry=edge",
    "/cleanup/untagged/schedule/local",
    "/cleanup/policies",
    "/cleanup/policies?registry=edge",
    "/cleanup/policies/add",
    "/cleanup/policies/add?preset=releases",
    "/cleanup/policies/platform",
    "/cleanup/policies/platform/edit",
    "/cleanup/policies/ml/remove",
    "/cleanup/why",
    "/cleanup/why?registry=local&repository=platform/api&tag=1.27.3",
    "/cleanup/runs",
    "/cleanup/runs?registry=edge",
    "/cleanup/commands",
    "/cleanup/commands?registry=edge&template=kubernetes",
    "/cleanup/commands/schedule/edge",
    "/cleanup/pins",
    "/cleanup/pins/cluster-a",
    "/cleanup/pins/machine-7",
    "/cleanup/pins/cluster-a/forget",
    "/notices",
    "/notices/add-webhook",
    "/notices/add-email",
    "/sync/import",
    "/sync/sources",
    "/sync/sources/add",
    "/sync/sources/add?preset=docker-hub",
    "/sync/sources/docker-hub",
    "/sync/sources/upstream",
    "/sync/sources/docker-hub/remove",
    f"{TAG}/1.27.3/history",
    "/account/password",
    "/nothing/here",
)


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize(
    ("locale", "buttons"),
    [
        ("en-GB", ("Push an image", "Account: Mara Voss", "More ways")),
        pytest.param("ko-KR", ("이미지 푸시", "계정: Mara Voss", "다른 방법"), marks=pytest.mark.sampled),
    ],
)
def test_every_page_is_clean(
    chromium: Browser, berth: tuple[str, Harbour], locale: str, buttons: tuple[str, str, str]
) -> None:
    """Each is loaded once and looked at wide and narrow, in both themes: all else about it is the same."""
    # Without motion, so that no colour is on its way from one theme to the other.
    context = chromium.new_context(reduced_motion="reduce", locale=locale)
    visit = Visit(context.new_page(), *berth)
    harbour_events.build_inbox(visit.harbour.registry)
    visit.go("/sign-in")
    visit.check_all_looks("/sign-in")
    visit.sign_in()
    jobs = [f"/jobs/{job.pk}" for job in (visit.harbour.scan, visit.harbour.question, visit.harbour.ended)]
    scans = [f"/registries/local/scans/{visit.harbour.last.pk}{query}" for query in ("", "?show=moved", "?show=gone")]
    acts = visit.harbour.acts
    plans = [plan.get_absolute_url() for plan in vars(acts).values()][: None if locale == "en-GB" else 2]
    told = [f"/notices/{visit.harbour.told.pk}", f"/notices/{visit.harbour.told.pk}/edit"]
    runs = [run.get_absolute_url() for run in vars(visit.harbour.runs).values()]
    runs += [run.get_absolute_url() for run in vars(visit.harbour.untagged).values()]
    retained = [run.get_absolute_url() for run in vars(visit.harbour.retention).values()]
    retained += [
        f"{retained[0]}?place={visit.harbour.retention.planned.places.all()[0].pk}",
        f"{retained[2]}?end=failed",
    ]
    collections = vars(visit.harbour.collections).values()
    runs += [f"{run.get_absolute_url()}?step={run.steps.in_order()[0].pk}" for run in collections]
    copy = f"/r/local/platform/api/-/manifests/{acts.images.items.exclude(digest='')[0].digest}/copy?tag=1.27.3"
    sweeps = [sweep.get_absolute_url() for sweep in vars(visit.harbour.sweeps).values()]
    sweeps.append(f"{visit.harbour.sweeps.holding.get_absolute_url()}/delete-now")
    check = visit.harbour.check.get_absolute_url()
    paths: Sequence[str] = (
        *PAGES,
        *jobs,
        *scans,
        *plans,
        *told,
        *runs,
        *retained,
        *sweeps,
        copy,
        check,
        "/registries",
        "/registries/add",
    )
    of_colours = of_today(paths)
    if locale == "en-GB":
        paths = sorted({*of_today(paths, 3), *of_colours})
    for path in paths:
        visit.go(path)
        expect(visit.page.locator("html")).to_have_attribute("lang", locale[:2])
        if locale != "en-GB":
            visit.check_two_looks(path)
        elif path in of_colours:
            visit.check_all_looks(path)
        else:
            visit.check_elements(path)
    for path, button in zip(("/", "/", f"{TAG}/1.27.3"), buttons, strict=True):
        visit.go(path)
        visit.page.get_by_role("button", name=button).click()
        visit.check_all_looks(f"{path} with {button}")
    context.close()


def test_the_whole_way_by_keyboard(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#main$"))

    page.keyboard.press("f")
    expect(page.get_by_role("searchbox", name="Filter by name")).to_be_focused()
    page.keyboard.type("gateway")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    expect(page.locator("#found")).to_have_text("1 repository found")
    expect(page).to_have_url(re.compile("q=gateway"))
    page.keyboard.press("Tab")
    page.locator("h1").click()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="platform/gateway")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/r/local/platform/gateway")

    page.get_by_role("button", name="Copy the command").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-live]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "docker pull registry.lab.internal:5000/platform/gateway:2.9.0"
    expect(page.get_by_role("button", name="Copy the command")).to_be_focused()
    page.get_by_role("button", name="Copy the whole digest").first.click()
    expect(page.get_by_role("button", name="Copy the whole digest").first).to_be_focused()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('sha256:'))")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch("sha256:[0-9a-f]{64}", copied)
    assert page.locator(f'tbody tr:first-child a[href$="/{copied}"]').count() == 1
    assert visit.complaints == []


def test_rows_are_walked_with_two_keys(visit: Visit) -> None:
    visit.go("/r/local/platform/api")
    page, rows = visit.page, visit.page.locator("[data-row]")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/-/tags/*")


def test_shortcuts_are_explained_and_can_be_switched_off(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    visit.check("the help")
    page.get_by_role("checkbox", name="single-key").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).not_to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.matches('[data-row], [data-find]')") is False
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('[data-row]')") is False
    page.get_by_role("button", name="Keyboard shortcuts").last.click()
    expect(page.get_by_role("checkbox", name="single-key")).not_to_be_checked()


def test_typing_in_a_field_is_no_shortcut(visit: Visit) -> None:
    page, box = visit.page, visit.page.get_by_role("searchbox", name="Filter by name")
    box.focus()
    page.keyboard.type("jk/?")
    expect(box).to_have_value("jk/?")
    expect(box).to_be_focused()


def test_a_language_is_chosen_and_the_page_stays(visit: Visit) -> None:
    page = visit.page
    visit.go("/r/local/platform/api?sort=-tag")
    page.get_by_role("button", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page).to_have_url(f"{visit.origin}/r/local/platform/api?sort=-tag")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert visit.complaints == []


def test_a_row_keeps_the_focus_when_its_list_is_fetched_anew(visit: Visit) -> None:
    """As it is when somebody leaves the filter, and goes on by keyboard before the answer is there."""
    page = visit.page
    page.keyboard.press("j")
    page.keyboard.press("j")
    name = page.locator("[data-row]").nth(1).inner_text()
    page.evaluate("() => document.querySelector('[data-row]').toggleAttribute('data-old', true)")
    page.evaluate("() => document.getElementById('f').dispatchEvent(new Event('change', {bubbles: true}))")
    expect(page.locator("[data-old]")).to_have_count(0)
    expect(page.get_by_role("link", name=name, exact=True)).to_be_focused()


def test_the_theme_is_kept(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("button", name="Switch to dark theme").click()
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(page.get_by_role("button", name="Switch to light theme")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_running_job_is_followed_to_its_end(visit: Visit) -> None:
    page, scan = visit.page, visit.harbour.scan
    visit.go(f"/jobs/{scan.pk}")
    expect(page.get_by_text("38 %")).to_be_visible()
    Job.objects.filter(pk=scan.pk).update(progress={**scan.progress, "tags": [1000, 1316]})
    expect(page.get_by_text("75 %")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    Job.objects.filter(pk=scan.pk).update(state=Job.State.DONE, message="All is read.", finished_at=timezone.now())
    expect(page.get_by_text("All is read.")).to_be_visible()
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    visit.check("a job that ended")
    asked = len(visit.requests)
    page.wait_for_timeout(1600)
    assert len(visit.requests) == asked


def test_the_list_of_jobs_polls_what_runs_and_nothing_else(visit: Visit) -> None:
    page, scan = visit.page, visit.harbour.scan
    visit.go("/jobs")
    visit.requests.clear()
    page.wait_for_timeout(1600)
    polled = {request.url.removeprefix(visit.origin) for request in visit.requests if "/static/" not in request.url}
    copying = visit.harbour.runs.under_way.job
    assert copying is not None
    moving = Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
    assert moving.contains(scan)
    assert polled == {f"/jobs/{job.pk}?as=row" for job in moving}
    ended = {"state": Job.State.DONE, "finished_at": timezone.now()}
    Job.objects.filter(pk=copying.pk).update(message="1 copied, 0 unchanged.", **ended)
    expect(page.get_by_text("1 copied, 0 unchanged.")).to_be_visible()
    moving.update(message="All is read.", **ended)
    expect(page.get_by_text("All is read.")).to_have_count(len(polled) - 1)
    visit.requests.clear()
    page.wait_for_timeout(1600)
    assert visit.requests == []


def test_a_server_that_goes_away_is_said(visit: Visit) -> None:
    page = visit.page
    visit.go(f"/jobs/{visit.harbour.scan.pk}")
    page.context.set_offline(True)
    expect(page.locator("[data-live]")).to_have_text("Berth does not answer. Trying again.")
    page.context.set_offline(False)


def test_a_question_is_answered(visit: Visit) -> None:
    page, question = visit.page, visit.harbour.question
    visit.go(f"/jobs/{question.pk}")
    page.get_by_role("button", name="No, keep the catalog as it is").click()
    expect(page.get_by_text("The answer was no: nothing was changed.")).to_be_visible()


def test_a_session_that_ended_leads_a_polling_page_to_sign_in(visit: Visit) -> None:
    visit.go(f"/jobs/{visit.harbour.scan.pk}")
    visit.page.context.clear_cookies()
    visit.page.wait_for_url("**/sign-in?next=*")
    expect(visit.page.get_by_label("Username")).to_be_visible()


def test_nothing_is_kept_in_the_browser_but_the_theme_and_the_switch(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("searchbox", name="Filter by name").fill("platform/api")
    expect(page.locator("#found")).to_have_text("1 repository found")
    visit.go("/jobs")
    page.go_back()
    expect(page.get_by_role("searchbox", name="Filter by name")).to_have_value("platform/api")
    assert page.evaluate("Object.keys(localStorage)") == []
    assert page.evaluate("Object.values(sessionStorage).join()") in {
        "",
        "/jobs",
        "/?q=platform%2Fapi&state=&sort=changed",
    }


def test_everything_but_comfort_works_without_scripts(chromium: Browser, berth: tuple[str, Harbour]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    page = visit.page
    page.get_by_role("searchbox", name="Filter by name").fill("gateway")
    page.keyboard.press("Enter")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.get_by_role("link", name="platform/gateway").click()
    expect(page.get_by_role("heading", name="platform/gateway")).to_be_visible()
    expect(page.locator(".copy:visible")).to_have_count(0)
    visit.go("/r/local/platform/api")
    page.locator("details.more summary").first.click()
    expect(page.get_by_role("link", name="nightly-20261014")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    context.close()


def test_a_first_visit_is_light_and_the_next_page_lighter(berth: tuple[str, Harbour], context: BrowserContext) -> None:
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    visit.page.wait_for_load_state("networkidle")
    visit.page.wait_for_timeout(300)
    first = _weight(visit.requests)
    assert first < 100_000
    for path in ("/jobs", "/r/local/platform/api", f"{TAG}/1.27.3", "/"):
        visit.requests.clear()
        visit.go(path)
        visit.page.wait_for_timeout(200)
        assert _weight(visit.requests) < 10_000, path


def _weight(requests: list[Request]) -> int:
    """Bytes on the wire, headers left out; what the browser had already weighs nothing."""
    return sum(request.sizes()["responseBodySize"] for request in list(requests) if request.response())
