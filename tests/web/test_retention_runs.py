"""The page of a run of retention: which tags go and stay and why, and what staff can do about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Repository
from cleanup.models import RetentionRun, RunRepository, RunTag
from cleanup.retention.planning import packed
from cleanup.retention.reasons import Reason, Verdict, Why
from jobs.models import Job
from registries.models import Registry
from tests.tagging import furniture as tagging
from tests.web import furniture as make
from tests.web import harbour_retention as rows
from tests.web.pages import Page
from tests.web.sync_sent import words

pytestmark = pytest.mark.django_db(databases="__all__")

EVIL: Final = "<img src=x onerror=alert(1)>\"'&"
BUTTONS: Final = ("Delete 2 tags", "Go on with the rest", "Try again what failed", "Plan again", "Stop")
State, TagState = RetentionRun.State, RunTag.State


@pytest.fixture
def app(local: Registry) -> Repository:
    rows.policy(local, "platform", {"tags": ["1.*"], "newest": 3}, {"tags": ["main-*"], "newest": 10})
    return make.repository(local, "team/app")


def standing(app: Repository, state: RetentionRun.State, tag_state: RunTag.State, **more: Any) -> RetentionRun:
    """A run with two tags that are doomed."""
    needs_yes = more.pop("needs_yes", False)
    run = rows.run(app.registry, state, **more)
    rows.tags(rows.place(run, app, needs_yes=needs_yes), "1.0", "1.1", state=tag_state)
    rows.settle(run)
    return run


def working(run: RetentionRun, state: Job.State = Job.State.RUNNING, **more: Any) -> Job:
    params = {"registry": run.registry_id, "run": run.pk}
    job = make.job(run.registry, state, kind="retention", subject=run.registry.job_subject, params=params, **more)
    RetentionRun.objects.filter(pk=run.pk).update(job=job)
    return job


@pytest.mark.parametrize(
    "case",
    [
        (State.PLANNED, TagState.PLANNED, {"Delete 2 tags", "Plan again"}, "nothing was changed yet"),
        (State.BROKEN_OFF, TagState.PLANNED, {"Go on with the rest", "Plan again"}, "Broken off"),
        (State.BROKEN_OFF, TagState.DONE, {"Plan again"}, "Broken off"),
        (State.WAITING, TagState.PLANNED, {"Go on with the rest", "Stop"}, "It goes on by itself in 2 h"),
        (State.DONE, TagState.FAILED, {"Try again what failed", "Plan again"}, "Failed 2"),
        (State.DONE, TagState.DONE, {"Plan again"}, "Deleted 2"),
    ],
)
def test_a_run_offers_what_can_be_done_in_its_state(
    case: tuple[RetentionRun.State, RunTag.State, set[str], str], client: Client, staff_client: Client, app: Repository
) -> None:
    state, tag_state, buttons, sentence = case
    run = standing(app, state, tag_state, resumes_at=timezone.now() + timedelta(hours=2.5), planned_at=timezone.now())

    text = words(staff_client, run.get_absolute_url())

    assert {button for button in BUTTONS if button in text} == buttons
    assert sentence in text
    assert not any(button in words(client, run.get_absolute_url()) for button in BUTTONS)


def test_a_plan_in_which_all_stays_has_nothing_to_do(staff_client: Client, app: Repository) -> None:
    run = rows.run(app.registry, State.PLANNED, frees=0)
    rows.place(run, app, state=RunRepository.State.DONE)
    rows.settle(run)

    text = words(staff_client, run.get_absolute_url())
    assert "There is nothing to do: every tag stays." in text
    assert "Delete" not in text


def test_the_confirmation_says_what_goes_and_asks_for_a_yes(staff_client: Client, app: Repository) -> None:
    run = standing(app, State.PLANNED, TagState.PLANNED, needs_yes=True, frees=5_000_000, frees_is_exact=False)

    text = words(staff_client, run.get_absolute_url())
    assert "Delete 2 tags of local?" in text
    assert "Also in 1 repository of which more than a fifth of the tags goes, or all: 2 tags" in text
    assert "at most 5.0 MB" in text

    staff_client.post(f"{run.get_absolute_url()}/carry-on", {"allow": "1"})
    job = Job.objects.get()
    assert (job.kind, job.params["allowed"]) == ("retention", {"run": run.pk})


def test_a_plan_is_begun_once_and_found_again(staff_client: Client, app: Repository) -> None:
    first = staff_client.post("/cleanup/runs/begin", {"registry": "local", "policy": "platform"})
    run = RetentionRun.objects.get()
    assert first.headers["Location"] == run.get_absolute_url()
    assert (run.actor, len(run.policies)) == ("staff", 1)
    assert Job.objects.get().params["only_plan"] is True

    again = staff_client.post("/cleanup/runs/begin", {"registry": "local"}, follow=True)
    assert "Another run of this registry is under way: this is it." in Page(again.content.decode()).words
    assert staff_client.post("/cleanup/runs/begin", {"registry": "local", "policy": "none"}).status_code == 404
    assert RetentionRun.objects.count() == 1


def test_a_run_is_planned_again_by_the_policies_as_they_are(staff_client: Client, app: Repository) -> None:
    run = standing(app, State.DONE, TagState.DONE, policies=[app.registry.policies.get().pk])
    staff_client.post(f"{run.get_absolute_url()}/again")
    assert RetentionRun.objects.newest_first()[0].policies == run.policies

    gone = standing(app, State.DONE, TagState.DONE, policies=[10**6])
    response = staff_client.post(f"{gone.get_absolute_url()}/again", follow=True)
    assert "The policies that it was about are gone." in Page(response.content.decode()).words


def test_what_was_carried_out_is_not_done_again(staff_client: Client, app: Repository) -> None:
    run = standing(app, State.DONE, TagState.DONE)

    response = staff_client.post(f"{run.get_absolute_url()}/carry-on", follow=True)

    assert "It was carried out already." in Page(response.content.decode()).words
    assert not Job.objects.exists()


def test_what_failed_is_tried_again(staff_client: Client, app: Repository) -> None:
    run = standing(app, State.DONE, TagState.FAILED)

    staff_client.post(f"{run.get_absolute_url()}/carry-on")

    assert set(run.tags.values_list("state", flat=True)) == {"planned"}
    assert Job.objects.get().kind == "retention"


def test_a_run_that_waits_is_stopped(staff_client: Client, app: Repository) -> None:
    run = standing(app, State.WAITING, TagState.PLANNED, resumes_at=timezone.now() + timedelta(hours=2))

    response = staff_client.post(f"{run.get_absolute_url()}/stop", follow=True)

    assert "Stopped while it waited" in Page(response.content.decode()).words
    run.refresh_from_db()
    assert run.state == State.BROKEN_OFF


def test_each_tag_that_goes_says_why_and_what_became_of_it(client: Client, app: Repository) -> None:
    run = rows.run(app.registry, State.DONE)
    place = rows.place(run, app)
    plan = tagging.plan(app)
    rows.tags(place, "1.0", state=TagState.DONE, plan=plan)
    rows.tags(place, "1.1", state=TagState.SKIPPED, note="it is gone already")
    rows.tags(place, "sha256-1.sig", state=TagState.FAILED, rule=-1, note=EVIL)
    rows.settle(run)
    url = run.get_absolute_url()

    deleted = Page(client.get(f"{url}?end=deleted").content.decode())
    assert "1.0 team/app" in deleted.words
    assert "no condition of the rule on 1.* keeps it" in deleted.words
    assert f"/plans/{plan.pk}" in deleted.links
    assert "/trash" in deleted.links
    assert "it is gone already" in words(client, f"{url}?end=left")
    failed = client.get(f"{url}?end=failed").content.decode()
    assert EVIL not in failed
    assert EVIL in Page(failed).text
    assert "1 failed" not in words(client, url)


def test_a_repository_says_why_each_of_its_tags_stays(client: Client, app: Repository) -> None:
    run = rows.run(app.registry, State.PLANNED)
    place = rows.place(run, app)
    rows.tags(place, "1.0")
    rows.settle(run)
    url = f"{run.get_absolute_url()}?place={place.pk}"

    text = words(client, url)
    for sentence in (
        "6 tags stay",
        "Stays:1 alias of a tag that stays stable",
        "Stays:1 no rule speaks of it latest",
        "it may be among the newest 10 of main-*",
        "1.0",
    ):
        assert sentence in text
    assert "stable alias of 1.27.2" in words(client, f"{url}&end=stays")
    assert "legacy" not in words(client, f"{run.get_absolute_url()}?place=999999")


def test_what_stays_is_paged_by_name(client: Client, app: Repository) -> None:
    run = rows.run(app.registry, State.PLANNED)
    kept = [Verdict(f"t{number:03}", "", (Reason(Why.UNSPOKEN),)) for number in range(60)]
    place = rows.place(run, app, kept=60, kept_tags=packed(kept))
    rows.settle(run)
    url = f"{run.get_absolute_url()}?place={place.pk}&end=stays"

    seen: list[str] = []
    while url:
        page = Page(client.get(url).content.decode())
        seen += [piece for piece in page.pieces if piece.startswith("t0")]
        back = [link["href"] for link in page.all("a", rel="prev")]
        url = next((link["href"] for link in page.all("a", rel="next")), "")
        url = f"{run.get_absolute_url()}{url}" if url.startswith("?") else url
    assert seen == [f"t{number:03}" for number in range(60)]
    page = Page(
        client.get(f"{run.get_absolute_url()}{back[0]}" if back[0].startswith("?") else back[0]).content.decode()
    )
    assert "t028" in page.words
    assert "t027" not in page.words
    assert "t000" in words(client, f"{run.get_absolute_url()}?place={place.pk}&end=stays&page=nonsense")


def test_a_repository_that_was_left_out_says_why(client: Client, app: Repository) -> None:
    run = rows.run(app.registry, State.PLANNED)
    place = rows.left_out(run, app)
    rows.settle(run)

    text = words(client, f"{run.get_absolute_url()}?end=left-out")
    assert "its last scan could not read it" in text
    assert "Nothing was planned in it." in words(client, f"{run.get_absolute_url()}?place={place.pk}")


def test_while_it_moves_the_page_asks_for_how_far_it_is(
    client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = standing(app, State.UNDER_WAY, TagState.PLANNED)
    job = working(run, progress={"phase": "deleting", "repositories": [3, 9]})
    url = run.get_absolute_url()

    assert "Deleting tags3 of 9 repositories" in words(client, url)
    assert "Under way" in words(client, "/cleanup/runs")
    with django_assert_max_num_queries(4):
        part = client.get(url, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in part
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    assert client.get(url, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert run.get_absolute_url() in Page(client.get(f"/jobs/{job.pk}").content.decode()).links


def test_its_question_is_answered_on_its_page(staff_client: Client, app: Repository) -> None:
    run = standing(app, State.ASKING, TagState.PLANNED, needs_yes=True)
    question = {"kind": "retention", "text": "Delete these 2 tags?", "yes": "Yes, delete them", "no": "No, keep them"}
    job = working(run, Job.State.ASKING, question={**question, "allow": {"run": run.pk}})

    text = words(staff_client, run.get_absolute_url())
    assert "Yes, delete them" in text
    assert "Needs an answer" in words(staff_client, "/cleanup/runs")
    staff_client.post(f"/jobs/{job.pk}/answer", {"answer": "yes"})
    assert "Needs an answer" not in words(staff_client, "/cleanup/runs")


def test_runs_take_as_many_queries_however_many_tags_there_are(
    staff_client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = rows.run(app.registry, State.DONE)
    for number in range(40):
        place = rows.place(run, make.repository(app.registry, f"team/r{number}"), needs_yes=True)
        rows.tags(place, "1.0", state=TagState.FAILED, note="no")
    rows.settle(run)

    for query in ("", "?end=failed", f"?place={place.pk}", f"?place={place.pk}&end=stays"):
        with django_assert_max_num_queries(10):
            response = staff_client.get(f"{run.get_absolute_url()}{query}")
        assert response.status_code == 200
    assert "28 of 40 repositories" in words(staff_client, run.get_absolute_url())


def test_repositories_of_a_run_are_found_by_name_and_by_whether_they_lose_tags(client: Client, app: Repository) -> None:
    run = rows.run(app.registry, State.PLANNED)
    rows.tags(rows.place(run, app), "1.0")
    for name in ("team/web", "tool"):
        rows.place(run, make.repository(app.registry, name))
    rows.settle(run)
    url = run.get_absolute_url()

    assert "3 repositories" in words(client, url)
    losing = words(client, f"{url}?end=loses")
    assert "team/app" in losing
    assert "team/web" not in losing
    found = words(client, f"{url}?q=web")
    assert "team/web" in found
    assert "team/app" not in found
    assert "None fits what is asked for." in words(client, f"{url}?q=nothing")


def test_who_has_not_signed_in_is_not_told_who_asked(app: Repository, settings: Any) -> None:
    settings.ANONYMOUS_READ = True
    run = standing(app, State.DONE, TagState.DONE, actor="ana")

    for url in ("/cleanup/runs", run.get_absolute_url()):
        assert "ana" not in words(Client(), url).replace("management", "")
