"""The pages of sync: rules are set up, tried and switched, and runs are looked at and gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from access.models import User
from audit.models import Entry
from jobs.models import Job
from oci.transfer.selection import Form, Selection
from registries.models import Registry
from sync.choosing import Choice, NewestBy, Why
from sync.details import Details, Moved
from sync.models import Item, Rule, Run, Synced
from sync.schedule import Schedule, When
from tests.hostile import Hostile, Reply
from tests.web import furniture as make
from tests.web import harbour_sync as rows
from tests.web.pages import Page
from web.sync.rule_form import RuleForm

pytestmark = pytest.mark.django_db(databases="__all__")

EVIL: Final = "<img src=x onerror=alert(1)>\"'&"
DIGEST: Final = make.digest_of(b"pinned")
NO_BUTTONS: Final = ("Copy 1 image", "Go on with the rest", "Try again what failed", "Stop")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()


@pytest.fixture
def hub(db: None) -> Registry:
    """A source at which nobody listens."""
    return make.registry("hub", url="http://127.0.0.1:1", plain_http=True, role=Registry.Role.SOURCE)


@pytest.fixture
def rule(local: Registry, hub: Registry) -> Rule:
    return rows.rule(local, hub)


@pytest.fixture
def places(local: Registry, hub: Registry) -> None:
    """From where to where the rules of these tests copy."""


@pytest.fixture
def upstream() -> Iterator[Hostile]:
    with Hostile() as registry:
        yield registry


def words(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode()).words


def said(form: RuleForm, **more: Any) -> dict[str, Any]:
    """What a browser sends of a form that nobody touched, but for `more`."""
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in {**values, **more}.items() if value is not None and value is not False}


def typed(**more: Any) -> dict[str, Any]:
    """A form in which only the places are said, and `more`."""
    places = {"name": "golang", "source": "hub", "repositories": "library/golang", "target": "local"}
    return said(RuleForm(), **{**places, **more})


def wrong_at(response: Any) -> set[str]:
    """The fields beside which the page says that something is wrong."""
    page = Page(response.content.decode())
    marked = page.all("div", **{"class": "errors"})
    return {found["id"].removeprefix("id_").removesuffix("_error") for found in marked}


def standing(rule: Rule, **fields: Any) -> Run:
    """A run with one tag that is still to be copied."""
    state = fields.pop("state", Run.State.PLANNED)
    return rows.run(rule, state, [rows.item("1.0")], **fields)


def working(run: Run, **fields: Any) -> Job:
    job = make.job(run.target, kind="sync", subject=run.job_subject, title="Copying by the rule golang", **fields)
    Run.objects.filter(pk=run.pk).update(job=job)
    return job


def test_where_no_rule_is_staff_is_led_to_the_first(client: Client, staff_client: Client, local: Registry) -> None:
    for who, leads in ((client, False), (staff_client, True)):
        page = Page(who.get("/sync").content.decode())
        assert "No rule yet" in page.words
        assert ("/sync/rules/add" in page.links) is leads
    assert "No run yet" in words(client, "/sync/runs")


def test_the_list_says_what_each_rule_does_and_how_it_went(client: Client, rule: Rule) -> None:
    rows.run(rule, Run.State.DONE, [rows.item("1.0", state=Item.State.DONE)], problems=[["a", "b"]])
    rows.rule(rule.target, rule.source, "python", is_on=False)

    text = words(client, "/sync")

    assert "hub/library/golang →to local/mirror/{repository}" in text
    assert "by hand" in text
    assert "Done" in text
    assert "1 new" in text
    assert "1 problem" in text
    assert "It has not run yet." in text
    assert text.index("python") < text.index("golang")
    assert "python" not in words(client, "/sync?q=gol")
    assert "No rule fits" in words(client, "/sync?q=nothing")


def test_a_rule_is_added_as_it_was_said(staff_client: Client, staff: User, local: Registry, hub: Registry) -> None:
    response = staff_client.post(
        "/sync/rules/add",
        typed(
            repositories="library/golang\r\n\r\n library/alpine \nlibrary/golang",
            into="mirror/{repository}",
            allow="1.*\n2.*",
            deny="/.*-rc.*/",
            ranges=">=1.22 <2",
            pre_releases="on",
            newest="3",
            newest_by="time",
            pins=f"1.0@{DIGEST}",
            platforms=["linux/amd64"],
            more_platforms="linux/riscv64, linux/arm64",
            shape="sparse",
            attached=["signature"],
            attestations=False,
            moved="back-up",
            backup="{tag}-old",
            deletes_gone="on",
            when="every",
            every="90",
            unit="minutes",
            zone="Asia/Seoul",
            window="22:00 - 06:00",
            megabytes="1.5",
        ),
    )

    made = Rule.objects.get()
    assert response.headers["Location"] == made.get_absolute_url()
    assert made.created_by == str(staff)
    assert made.details == Details(
        "golang",
        source="hub",
        repositories=("library/golang", "library/alpine"),
        target="local",
        into="mirror/{repository}",
        choice=Choice(
            ("1.*", "2.*"), ("/.*-rc.*/",), (">=1.22 <2",), pre_releases=True, newest=3, newest_by=NewestBy.TIME
        ),
        pins=(f"1.0@{DIGEST}",),
        selection=Selection(("linux/amd64", "linux/riscv64", "linux/arm64"), Form.SPARSE, attestations=False),
        attached=frozenset({"signature"}),
        moved=Moved.BACK_UP,
        backup="{tag}-old",
        deletes_gone=True,
        schedule=Schedule(When.EVERY, "", "Asia/Seoul", 90, "22:00-06:00"),
        bytes_per_second=1_500_000,
    )
    text = words(staff_client, made.get_absolute_url())
    for sentence in (
        "every 90 minutes, within 22:00-06:00 (Asia/Seoul)",
        "Those that fit: 1.*, 2.*.",
        "Versions in the range >=1.22 <2.",
        "Only the 3 newest by time.",
        "1 image is pinned to its digest.",
        "the index as it is, some of whose images are missing",
        "Comes along: signatures, but no provenance inside an index.",
        "stays under another tag",
        "Deleted here too, into the trash.",
        "A preview says what it would do",
    ):
        assert sentence in text


def test_what_was_not_said_is_what_a_rule_is_without(staff_client: Client, local: Registry, hub: Registry) -> None:
    staff_client.post("/sync/rules/add", typed())

    assert Rule.objects.get().details == Details("golang", "hub", ("library/golang",), "local")


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("name", "Not so", "name"),
        ("name", "add", "name"),
        ("source", "nobody", "source"),
        ("target", "hub", "target"),
        ("repositories", "", "repositories"),
        ("repositories", "Library/Golang", "repositories"),
        ("into", "{nobody}", "into"),
        ("allow", "/(/", "allow"),
        ("deny", "a b", "deny"),
        ("ranges", ">=one", "ranges"),
        ("newest", "0", "newest"),
        ("pins", "latest", "pins"),
        ("more_platforms", "linux", "more_platforms"),
        ("shape", "child", "shape"),
        ("backup", "{tag} old", "backup"),
        ("megabytes", "0", "megabytes"),
        ("window", "22-6", "window"),
        ("zone", "Atlantis", "zone"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    field: str, value: str, at: str, staff_client: Client, places: None
) -> None:
    response = staff_client.post("/sync/rules/add", typed(**{field: value}))

    assert response.status_code == 422
    assert wrong_at(response) == {at}
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("schedule", "at"), [({"when": "cron", "cron": "* * * * *"}, "cron"), ({"when": "every", "every": "0"}, "every")]
)
def test_a_schedule_that_is_none_is_said_at_its_field(
    schedule: dict[str, str], at: str, staff_client: Client, local: Registry, hub: Registry
) -> None:
    response = staff_client.post("/sync/rules/add", typed(**schedule))

    assert wrong_at(response) == {at}


def test_a_name_that_another_rule_has_is_refused(staff_client: Client, rule: Rule) -> None:
    assert wrong_at(staff_client.post("/sync/rules/add", typed())) == {"name"}


def test_without_a_registry_to_copy_into_there_is_no_form(staff_client: Client, hub: Registry) -> None:
    page = Page(staff_client.get("/sync/rules/add").content.decode())

    assert "No registry to copy into" in page.words
    assert not page.all("textarea")


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"schedule": Schedule(When.CRON, "30 4 * * 1-5", "Asia/Seoul")},
        {"schedule": Schedule(When.EVERY, every=2 * 24 * 60), "bytes_per_second": 2_500_000},
        {"choice": Choice(("1.*",), ("*-rc*",), ("^1.2", "3"), newest=4), "pins": (f"a@{DIGEST}", DIGEST)},
        {"selection": Selection(("linux/amd64", "windows/amd64"), Form.REWRITTEN), "moved": Moved.LEAVE},
        {"attached": frozenset({"sbom", "artifact", "chart", "image"}), "is_on": False, "deletes_gone": True},
    ],
)
def test_who_saves_a_rule_unchanged_changes_nothing(
    more: dict[str, Any], staff_client: Client, local: Registry, hub: Registry
) -> None:
    made = rows.rule(local, hub, **more)
    before, url = made.details, f"{made.get_absolute_url()}/edit"

    response = staff_client.post(url, said(staff_client.get(url).context["form"]))

    assert response.status_code == 302
    assert Rule.objects.get().details == before
    assert not Entry.objects.exists()


def test_a_rule_is_changed_and_the_record_says_in_what(staff_client: Client, rule: Rule) -> None:
    url = f"{rule.get_absolute_url()}/edit"

    staff_client.post(url, said(staff_client.get(url).context["form"], name="go", into="{repository}"))

    assert Rule.objects.get().details.into == "{repository}"
    assert list(Entry.objects.values_list("act", "actor", "detail")) == [("rule-change", "staff", "name, into")]


def test_a_rule_of_a_newer_berth_is_shown_and_not_touched(staff_client: Client, rule: Rule) -> None:
    Rule.objects.update(terms={"version": 9})
    url = rule.get_absolute_url()

    assert "a newer Berth wrote it" in words(staff_client, "/sync")
    assert "It does not run." in words(staff_client, url)
    for page in ("edit", "switch"):
        response = staff_client.post(f"{url}/{page}", typed(), follow=True)
        assert "Nothing was changed." in Page(response.content.decode()).words
    assert Rule.objects.get().terms == {"version": 9}


def test_a_rule_is_switched_off_and_on(staff_client: Client, rule: Rule) -> None:
    for on, sentence in (("0", "It is switched off"), ("1", "Switch off")):
        response = staff_client.post(f"{rule.get_absolute_url()}/switch", {"on": on}, follow=True)
        assert sentence in Page(response.content.decode()).words
        assert Rule.objects.get().is_on is (on == "1")


def test_a_rule_is_removed_once_somebody_says_yes_and_what_it_copied_stays(staff_client: Client, rule: Rule) -> None:
    run = standing(rule)
    rows.synced(rule, "1.0", digest=DIGEST, seen=DIGEST)
    url = f"{rule.get_absolute_url()}/remove"

    assert "1 tag stands because of it" in words(staff_client, url)
    assert Rule.objects.exists()
    response = staff_client.post(url, follow=True)

    assert "What it copied stays." in Page(response.content.decode()).words
    assert not Rule.objects.exists()
    assert Synced.objects.get().rule is None
    assert "golang" in words(staff_client, run.get_absolute_url())


@pytest.mark.parametrize(("button", "params"), [("plan", {"only_plan": True}), ("run", {})])
def test_a_rule_is_begun_and_leads_to_its_run(
    button: str, params: dict[str, Any], staff_client: Client, rule: Rule
) -> None:
    first = staff_client.post(f"{rule.get_absolute_url()}/{button}")
    again = staff_client.post(f"{rule.get_absolute_url()}/{button}")

    run = Run.objects.get()
    assert first.headers["Location"] == again.headers["Location"] == run.get_absolute_url()
    assert run.job is not None
    assert run.job.params == {"registry": run.target_id, **params}
    assert "Waits for a worker" in words(staff_client, run.get_absolute_url())


def test_what_nobody_may_change_any_more_is_said(staff_client: Client, rule: Rule) -> None:
    run = standing(rule)
    Registry.objects.filter(pk=rule.target_id).update(retired_at=timezone.now())

    for url in (
        *(f"{rule.get_absolute_url()}/{verb}" for verb in ("run", "plan", "switch", "remove")),
        *(f"{run.get_absolute_url()}/{verb}" for verb in ("carry-on", "try-again")),
    ):
        text = Page(staff_client.post(url, follow=True).content.decode()).words
        assert "The registry was removed from Berth" in text, url
    assert Rule.objects.exists()
    assert not Job.objects.exists()


def test_the_page_of_a_rule_says_where_upstream_is(client: Client, rule: Rule) -> None:
    other = make.digest_of(b"other")
    for tag, seen in (("same", DIGEST), ("moved", other), ("gone", "")):
        rows.synced(rule, tag, digest=DIGEST, seen=seen)

    text = words(client, rule.get_absolute_url())

    for tag, word in (("same", "the same"), ("moved", "Moved upstream"), ("gone", "Gone upstream")):
        after = text[text.index(f"{tag} mirror/library/golang") :]
        assert 0 < after.index(word) < 250


def try_it(client: Client, how: str = "typed", url: str = "/sync/rules/add", **more: Any) -> str:
    response = client.post(url, {**typed(**more), "try": how}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert not response.content.lstrip().startswith(b"<!doctype")
    return Page(response.content.decode()).words


def test_a_rule_is_tried_on_the_catalog(staff_client: Client, local: Registry) -> None:
    app = make.repository(local, "team/app")
    for number, tag in enumerate(("1.0", "1.1", "1.1-rc1", "2.0", "latest")):
        make.put(app, make.image([(tag, number + 1)]), tag)
    places = {"source": "local", "repositories": "team/*", "into": "copies/{name}"}

    text = try_it(staff_client, **places, ranges="1.x", deny="latest")

    assert "local/team/app →to local/copies/app" in text
    assert "2 tags in, 3 out as the catalog has them" in text
    for reason in (
        "In:2 in the range 1.x",
        "Out:1 fits a pattern that leaves tags out latest",
        "Out:1 a pre-release",
        "Out:1 outside the range",
    ):
        assert reason in text
    assert "5 tags in, 0 out" in try_it(staff_client, **places)
    assert "1 tag in, 4 out" in try_it(staff_client, **places, newest="1", newest_by="time")
    assert "(/ is no pattern" not in text
    assert "Name a repository to see" in try_it(staff_client, repositories=" ")
    assert "/(/ is no pattern for tags." in try_it(staff_client, **places, allow="/(/")
    assert "stays as latest-before" not in text
    assert "A tag that moves stays as old-1.0" in try_it(staff_client, **places, moved="back-up", backup="old-{tag}")
    assert not Rule.objects.exists()


def test_who_types_asks_nobody_and_the_button_asks_once(
    staff_client: Client, local: Registry, upstream: Hostile
) -> None:
    make.registry("hub", url=upstream.url, plain_http=True, role=Registry.Role.SOURCE)
    upstream.on("GET", "/v2/library/golang/tags/list", Reply.json({"name": "library/golang", "tags": ["1.0", "a"]}))

    assert "Its tags are not known here" in try_it(staff_client)
    assert upstream.asked() == []
    assert "2 tags in, 0 out as the registry listed them just now" in try_it(staff_client, "ask")
    assert "1 tag in, 1 out as the registry listed them just now" in try_it(staff_client, allow="1.*")
    assert "1 tag in, 1 out" in try_it(staff_client, "ask", allow="a")
    assert len(upstream.asked("/v2/library/golang/tags/list")) == 1


def test_a_source_that_does_not_answer_is_said(staff_client: Client, local: Registry, hub: Registry) -> None:
    assert "connection refused" in try_it(staff_client, "ask").lower()


def test_the_last_plan_knows_tags_too(staff_client: Client, rule: Rule) -> None:
    standing(rule, left_out={Why.OUTSIDE: [811, ["0.9", "0.8"]]})

    text = try_it(staff_client, url=f"{rule.get_absolute_url()}/edit", ranges=">=0.9")

    assert "2 tags in, 1 out as its last plan knows them" in text


def test_without_script_the_whole_page_says_it(staff_client: Client, local: Registry) -> None:
    make.put(make.repository(local, "team/app"), make.image(), "1.0")

    response = staff_client.post("/sync/rules/add", {**typed(source="local", repositories="team/app"), "try": "ask"})

    page = Page(response.content.decode())
    assert "1 tag in, 0 out" in page.words
    assert page.all("input", name="name", value="golang")
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    "case",
    [
        (Run.State.PLANNED, [rows.item("1")], {"Copy 1 image"}, "nothing was changed yet"),
        (Run.State.PLANNED, [], set(), "There is nothing to do"),
        (Run.State.BROKEN_OFF, [rows.item("1")], {"Go on with the rest"}, "Broken off"),
        (Run.State.BROKEN_OFF, [], set(), "Broken off"),
        (Run.State.WAITING, [rows.item("1")], {"Go on with the rest"}, "It goes on by itself in 2 h"),
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

    assert {button for button in NO_BUTTONS if button in text} == buttons
    assert sentence in text
    assert not any(button in words(client, run.get_absolute_url()) for button in NO_BUTTONS)


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


def test_a_repository_says_from_where_it_was_synced(
    client: Client, rule: Rule, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    here = make.repository(rule.target, "mirror/library/golang")
    other = make.repository(rule.target, "team/app")
    make.put(here, make.image([("a", 1)]), "1.0", "1.0.0")
    make.put(here, make.image([("b", 2)]), "2.0")
    make.put(other, make.image([("c", 3)]), "1.0")
    for row in (here, other):
        make.settle(row)
    rows.synced(rule, "1.0", digest=DIGEST, seen=make.digest_of(b"moved"))
    rows.synced(rule, "1.0.0", digest=DIGEST, seen="")
    rows.synced(rule, "2.0", digest=DIGEST, seen=DIGEST)
    for _ in range(2):
        client.get(other.get_absolute_url())

    with django_assert_num_queries(8):
        synced = Page(client.get(here.get_absolute_url()).content.decode())
    with django_assert_num_queries(8):
        plain = Page(client.get(other.get_absolute_url()).content.decode())

    assert "synced from hub/library/golang, 12 min ago" in synced.words
    assert rule.get_absolute_url() in synced.links
    assert synced.words.count("moved upstream") == 1, "of the lead tag, which need not be named"
    assert synced.words.count("gone upstream: 1.0.0") == 1
    assert "synced" not in plain.words
    assert "upstream" not in plain.words
    rule.delete()
    assert "synced from hub/library/golang, 12 min ago" in words(client, here.get_absolute_url())


def test_what_strangers_write_is_text(staff_client: Client, rule: Rule) -> None:
    digest = make.digest_of(b"x")
    items = [
        rows.item(EVIL[:100], repository=EVIL, detail=EVIL, why=EVIL[:16]),
        rows.item("1.0", note=EVIL, state=Item.State.FAILED),
    ]
    run = rows.run(
        rule, Run.State.DONE, items, left_out={EVIL: [1, [EVIL]]}, problems=[[EVIL, EVIL]], message=EVIL, actor=EVIL
    )
    rows.synced(rule, "1.0", digest=digest, seen=digest)
    Rule.objects.update(terms={**rule.terms, "into": EVIL, "repositories": [EVIL]}, created_by=EVIL)
    Run.objects.update(name=EVIL[:60])

    for url in ("/sync", "/sync/runs", rule.get_absolute_url(), run.get_absolute_url()):
        response = staff_client.get(url)
        page = Page(response.content.decode())
        assert not page.all("img")
        assert "onerror=alert(1)" in page.words, url
    edit = Page(staff_client.get(f"{rule.get_absolute_url()}/edit").content.decode())
    assert not edit.all("img")


def test_pages_ask_few_questions(
    staff_client: Client, rule: Rule, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(40):
        other = rows.rule(rule.target, rule.source, f"rule-{number}")
        run = standing(other)
        working(run, state=Job.State.DONE)
        rows.synced(rule, f"1.{number}", digest=DIGEST, seen=DIGEST)
    run = rows.run(rule, Run.State.DONE, [rows.item(f"1.{number}", state=Item.State.DONE) for number in range(60)])

    for url in (
        "/sync",
        "/sync/runs",
        "/sync/rules/add",
        *(f"{rule.get_absolute_url()}{page}" for page in ("", "/edit", "/remove")),
        run.get_absolute_url(),
        f"{run.get_absolute_url()}?end=copied",
    ):
        with django_assert_max_num_queries(10):
            staff_client.get(url)
    working(run)
    with django_assert_max_num_queries(3):  # two of them tell who asks
        staff_client.get(run.get_absolute_url(), headers={"HX-Request": "true"})


def test_names_of_rules_are_addresses(rule: Rule) -> None:
    assert reverse("sync-rule", args=[rule.name]) == "/sync/rules/golang"
