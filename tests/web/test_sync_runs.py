"""The page of a run: how far it is, what it does to which tag, and what staff can do about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job
from sync.choosing import Why
from sync.models import Item, Rule, Run
from tests.web import furniture as make
from tests.web import harbour_sync as rows
from tests.web.pages import Page
from tests.web.sync_sent import DIGEST, standing, words, working

pytestmark = pytest.mark.django_db(databases="__all__")

EVIL: Final = "<img src=x onerror=alert(1)>\"'&"
BUTTONS: Final = ("Copy 1 image", "Go on with the rest", "Try again what failed", "Stop")


@pytest.mark.parametrize(
    "case",
    [
        (Run.State.PLANNED, [rows.item("1")], {"Copy 1 image"}, "nothing was changed yet"),
        (Run.State.PLANNED, [], set(), "There is nothing to do"),
        (Run.State.BROKEN_OFF, [rows.item("1")], {"Go on with the rest"}, "Broken off"),
        (Run.State.BROKEN_OFF, [], set(), "Broken off"),
        (Run.State.WAITING, [rows.item("1")], {"Go on with the rest", "Stop"}, "It goes on by itself in 2 h"),
        (Run.State.DONE, [rows.item("1", state=Item.State.FAILED)], {"Try again what failed"}, "Failed"),
        (Run.State.DONE, [rows.item("1", state=Item.State.PARKED)], {"Try again what failed"}, "Given up"),
        (Run.State.DONE, [rows.item("1", state=Item.State.DONE)], set(), "Done"),
    ],
)
def test_a_run_offers_what_can_be_done_in_its_state(
    case: tuple[Run.State, list[Item], set[str], str], client: Client, staff_client: Client, rule: Rule
) -> None:
    state, items, buttons, sentence = case
    run = rows.run(rule, state, items, resumes_at=timezone.now() + timedelta(hours=2.5))

    text = words(staff_client, run.get_absolute_url())

    assert {button for button in BUTTONS if button in text} == buttons
    assert sentence in text
    assert not any(button in words(client, run.get_absolute_url()) for button in BUTTONS)


def test_a_run_that_waits_is_stopped(staff_client: Client, rule: Rule) -> None:
    run = rows.run(rule, Run.State.WAITING, [rows.item("1")], resumes_at=timezone.now() + timedelta(hours=2.5))

    response = staff_client.post(f"{run.get_absolute_url()}/stop", follow=True)

    assert "Stopped while it waited" in Page(response.content.decode()).words
    run.refresh_from_db()
    assert (run.state, run.resumes_at) == (Run.State.BROKEN_OFF, None)


def test_it_says_who_asked_for_it(staff_client: Client, rule: Rule) -> None:
    """The schedule, a command, or a person."""
    for job, actor, said in (({}, "", "by its schedule"), ({"now": True}, "", "by a command"), ({}, "ana", "ana")):
        run = standing(rule, actor=actor)
        working(run, state=Job.State.DONE, params=job)
        assert said in words(staff_client, run.get_absolute_url())
        assert said in words(staff_client, "/sync/runs")


def test_a_run_is_gone_on_with_and_what_failed_is_tried_again(staff_client: Client, rule: Rule) -> None:
    run = rows.run(rule, Run.State.DONE, [rows.item("1", state=Item.State.FAILED, tries=3)])

    response = staff_client.post(f"{run.get_absolute_url()}/try-again")

    assert response.headers["Location"] == run.get_absolute_url()
    item = run.items.get()
    assert (item.state, item.tries) == (Item.State.PLANNED, 0)
    Job.objects.update(state=Job.State.STOPPED)
    staff_client.post(f"{run.get_absolute_url()}/carry-on")
    assert Job.objects.filter(state=Job.State.QUEUED, kind="sync").count() == 1


def test_a_run_that_is_copying_says_how_far_it_is(staff_client: Client, rule: Rule) -> None:
    run = standing(rule, state=Run.State.UNDER_WAY, quota_left=61, quota_limit=100)
    job = working(
        run,
        progress={
            "phase": "copying",
            "images": [1, 4],
            "bytes": [500_000, 2_000_000],
            "rate": 300_000,
            "seconds_left": 65,
            "under_way": [[EVIL, 250, 1_000], ["broken"], "no", [1, 2, 3], ["half", None, 1]],
        },
    )
    url = run.get_absolute_url()

    page = Page(staff_client.get(url).content.decode())
    part = staff_client.get(url, headers={"HX-Request": "true"})

    for text in (page.words, Page(part.content.decode()).words):
        for sentence in ("Copying", "1 of 4 images", "1 min 5 s left", "500 kB of 2.0 MB", "300 kB a second", EVIL):
            assert sentence in text
    assert "61 of 100" in page.words
    assert [bar["value"] for bar in page.all("progress")] == ["25", "25"]
    assert [poll["hx-get"] for poll in page.all("div", id="live")] == [url]
    assert f"/jobs/{job.pk}/stop" in {form["action"] for form in page.all("form", method="post")}
    assert "HX-Refresh" not in part.headers


def test_a_window_that_waited_fetches_the_whole_page_at_the_end(client: Client, rule: Rule) -> None:
    run = standing(rule, state=Run.State.DONE, message="1 copied, 0 unchanged.")
    working(run, state=Job.State.DONE)

    part = client.get(run.get_absolute_url(), headers={"HX-Request": "true"})

    assert part.headers["HX-Refresh"] == "true"
    assert not Page(part.content.decode()).all("div", **{"hx-get": run.get_absolute_url()})


def test_a_run_that_asks_is_answered_on_its_page(staff_client: Client, rule: Rule) -> None:
    run = standing(rule, state=Run.State.UNDER_WAY)
    job = working(
        run, state=Job.State.ASKING, question={"text": "Delete them?", "details": [], "yes": "Yes", "no": "No"}
    )

    page = Page(staff_client.get(run.get_absolute_url()).content.decode())

    assert "Needs an answer" in words(staff_client, "/sync")
    assert "Delete them?" in page.words
    assert f"/jobs/{job.pk}/answer" in {form["action"] for form in page.all("form", method="post")}


def test_each_tag_says_what_is_done_and_why(client: Client, rule: Rule) -> None:
    before = make.digest_of(b"before")
    skipped = {"state": Item.State.SKIPPED}
    run = rows.run(
        rule,
        Run.State.PLANNED,
        [
            rows.item("new"),
            rows.item("moves", before=before, backup="moves-old"),
            rows.item("same", Item.Act.KEEP, before=before, why=Why.ALL, detail="", **skipped),
            rows.item("left", Item.Act.LEAVE, before=before, note="it is protected", **skipped),
            rows.item("old", Item.Act.DELETE, before=before, why="gone", detail=""),
            rows.item("", digest=DIGEST, why="pinned", detail=""),
        ],
        left_out={Why.PRE_RELEASE: [60, ["2.0-rc1"]]},
        problems=[["library/nothing", "the source has no such repository, or does not show it"]],
    )

    text = words(client, run.get_absolute_url())

    for sentence in (
        "new mirror/library/golang",
        "New in the range >=1.22 <2",
        "kept as moves-old",
        "Moves in the range",
        "Unchanged every tag is taken",
        "Left alone it is protected",
        "Goes gone upstream",
        "New pinned to its digest",
        "60 a pre-release",
        "2.0-rc1",
        "and 59 more",
        "library/nothing",
        "the source has no such repository",
    ):
        assert sentence in text, sentence


def test_tags_are_paged_and_chosen_by_how_they_ended(client: Client, rule: Rule) -> None:
    items = [rows.item(f"1.{number}", state=Item.State.DONE) for number in range(30)]
    items += [rows.item(f"2.{number}", state=Item.State.FAILED, note="the source: away") for number in range(3)]
    run = rows.run(rule, Run.State.DONE, items)
    url = run.get_absolute_url()

    first = Page(client.get(url).content.decode())
    (following,) = [link for link in first.links if "page=" in link]
    second = Page(client.get(url + following).content.decode())
    failed = Page(client.get(f"{url}?end=failed").content.decode())

    assert [link for link in first.links if link.startswith("?end=")] == ["?end=copied", "?end=failed"]
    shown = [link for page in (first, second) for link in page.links if "/-/tags/" in link]
    assert len(shown) == len(set(shown)) == 30, "tags that came to be are linked"
    assert "28 of 33 tags" in first.words
    assert "3 tags" in failed.words
    assert "Try again, or leave it to the next run." in failed.words
    assert "2.2" in second.words
    assert "1.29" not in failed.words
    assert "None came to that end." in words(client, f"{url}?end=gone")


def test_a_tag_is_pointed_back_by_a_plan(staff_client: Client, rule: Rule) -> None:
    here = make.repository(rule.target, "mirror/library/golang")
    old, new = make.image([("old", 1)]), make.image([("new", 2)])
    make.put(here, old)
    make.put(here, new, "1.0")
    item = rows.item("1.0", before=old.row.digest, after=new.row.digest, state=Item.State.DONE)
    run = rows.run(rule, Run.State.DONE, [item, rows.item("2.0", state=Item.State.DONE)])
    url = run.get_absolute_url()
    page = Page(staff_client.get(url).content.decode())
    assert [form["action"] for form in page.all("form") if "roll-back" in form.get("action", "")] == [
        f"{url}/items/0/roll-back"
    ]

    response = staff_client.post(f"{url}/items/0/roll-back", follow=True)
    refused = staff_client.post(f"{url}/items/1/roll-back", follow=True)

    assert "Point mirror/library/golang:1.0 back" in Page(response.content.decode()).words
    assert "There is nothing to go back to" in Page(refused.content.decode()).words
