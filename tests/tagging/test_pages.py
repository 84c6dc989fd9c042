"""The pages that act, on real registries: what a person clicks, and what comes of it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Entry
from catalog.models import Presence, Repository, Tag, TagSpan
from tagging import breaches
from tagging.models import Plan, ProtectionRule, TrashEntry
from tagging.planning import Asked, plan_tags
from tests.tagging import furniture as tagging
from tests.tagging.acting import Actor
from tests.web import furniture as make
from tests.web.conftest import static_files
from tests.web.pages import Page
from web.tag_history import entries_of, history_of

__all__ = ["static_files"]

pytestmark = pytest.mark.any_database

BASE = "/r/test/team/app/-"


@pytest.fixture
def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(actor.person)
    return client


def post(browser: Client, path: str, **said: Any) -> tuple[str, Page]:
    """Where it led to, and the page there."""
    response = browser.post(path, said, follow=True)
    assert response.status_code == 200, path
    where = response.redirect_chain[-1][0] if response.redirect_chain else path
    return where, Page(response.content.decode())


def get(browser: Client, path: str) -> Page:
    response = browser.get(path)
    assert response.status_code == 200, path
    return Page(response.content.decode())


def test_a_tag_is_deleted_and_the_delete_undone(actor: Actor, browser: Client) -> None:
    digest = actor.push.image("1.0", "latest", "stable")
    actor.scan()
    at, page = post(browser, f"{BASE}/delete-tags", tag="1.0")
    assert "Delete the tag 1.0 of team/app" in page.words
    assert "2 tags name one of these images and stay" in page.words
    assert "Nothing was changed yet" in page.words
    assert ("pointed to a throwaway" in page.words) is actor.overwrites
    assert actor.listed() == {"1.0", "latest", "stable"}

    at, page = post(browser, f"{at}/carry-out", why="wrong build")
    assert "Done: 1 of 1." in page.words
    assert actor.listed() == actor.live() == {"latest", "stable"}
    assert "wrong build" in get(browser, "/activity").words
    there = "/activity?registry=test&repository=team%2Fapp"
    assert get(browser, f"{BASE}/timeline").all("a", href=there)
    assert get(browser, f"{BASE}/tags/1.0/history").all("a", href=f"{there}&tag=1.0")
    assert "wrong build" in get(browser, f"{there}&tag=1.0").words
    assert "No entry fits" in get(browser, f"{there}&tag=2.0").words

    at, page = post(browser, f"{at}/undo")
    assert "Restore in team/app" in page.words
    assert actor.listed() == actor.live() == {"1.0", "latest", "stable"}
    assert actor.push_digest("1.0") == digest


def test_the_tags_of_selected_images_are_those_that_the_list_shows(actor: Actor, browser: Client) -> None:
    actor.push.image("1.0", "pr-7", "latest")
    actor.push.image("2.0", "pr-8", seed="2")
    actor.push.image("3.0", seed="3")
    actor.scan()
    keys = list(Presence.objects.filter(lead_tag__in=["1.0", "2.0"]).order_by("lead_tag").values_list("pk", flat=True))
    _, page = post(browser, f"{BASE}/delete-tags", image=keys)
    plan = Plan.objects.latest("pk")
    assert set(actor.outcomes(plan)) == {"1.0", "2.0"}
    assert "3 tags name one of these images and stay" in page.words

    post(browser, f"{BASE}/delete-tags?q=pr-", image=keys[0])
    assert set(actor.outcomes(Plan.objects.latest("pk"))) == {"pr-7"}

    post(browser, f"{BASE}/delete-tags?q=pr-", all="1")
    assert set(actor.outcomes(Plan.objects.latest("pk"))) == {"pr-7", "pr-8"}
    post(browser, f"{BASE}/delete-tags?platform=linux/amd64", all="1")
    assert set(actor.outcomes(Plan.objects.latest("pk"))) == {"1.0", "2.0", "3.0"}
    row = next(row for row in get(browser, "/r/test/team/app?q=pr-").all("input", name="image"))
    assert row["data-goes"] in {"pr-7", "pr-8"}


def test_an_image_with_all_its_tags_names_them(actor: Actor, browser: Client) -> None:
    digest = actor.push.image("1.0", "latest")
    actor.push.image("2.0", seed="2")
    actor.scan()
    assert "Delete the image with all 2 tags" in get(browser, f"{BASE}/tags/1.0").words
    at, page = post(browser, f"{BASE}/delete-images", digest=digest)
    assert "1.0" in page.words
    assert "latest" in page.words
    post(browser, f"{at}/carry-out")
    assert actor.listed() == {"2.0"}
    assert "At risk" in get(browser, "/trash").words


def test_a_repository_goes_when_its_name_is_typed(actor: Actor, browser: Client) -> None:
    actor.push.index("1.0", children=[actor.push.image(), actor.push.image(platform="linux/arm64")])
    actor.scan()
    _, page = post(browser, f"{BASE}/delete-tags", tag="1.0")
    assert "2 manifests that an index lists stay in the registry without a tag" in page.words

    at, page = post(browser, f"{BASE}/delete")
    assert "the empty name: the registry goes on listing it" in page.words
    assert "without a tag" not in page.words
    assert "throwaway" not in page.words
    _, page = post(browser, f"{at}/carry-out", name="team/other")
    assert "The name was not typed as it is: nothing was changed." in page.words
    assert actor.listed() == {"1.0"}
    _, page = post(browser, f"{at}/carry-out", name="team/app")
    assert actor.listed() == set()
    there = "/trash?registry=test&repository=team%2Fapp"
    addresses = ("/r/test/team/app", f"{BASE}/gone-tags", f"{BASE}/tags/1.0", f"{BASE}/tags/1.0/history")
    for shown in (page, *(get(browser, address) for address in addresses)):
        assert shown.all("a", href=there)
    assert "team/app:1.0" in get(browser, there).words


def test_what_is_protected_is_said_before_the_yes(actor: Actor, browser: Client) -> None:
    actor.push.image("v1", "v2", "x")
    actor.scan()
    ProtectionRule.objects.create(registry=actor.row, tags="v*")

    _, page = post(browser, f"{BASE}/delete-tags", tag=["v1", "v2", "x"])
    assert "2 of these tags are protected and are left alone" in page.words
    assert "Delete 3 tags of team/app" in page.words
    assert "Delete 1 tag" in page.words
    assert page.words.count("Protected: ") == 2
    assert "Every tag of it is protected" not in page.words

    _, page = post(browser, f"{BASE}/delete-tags", tag=["v1", "v2"])
    assert "This cannot be carried out now. Every tag of it is protected, and would be left alone." in page.words
    (button,) = [b for b in page.all("button") if "danger" in b.get("class", "")]
    assert "disabled" in button


def test_a_plan_that_nobody_wants_is_gone(actor: Actor, browser: Client) -> None:
    actor.push.image("1.0")
    actor.scan()
    at, _ = post(browser, f"{BASE}/delete-tags", tag="1.0")
    where, page = post(browser, f"{at}/give-up")
    assert where == "/r/test/team/app"
    assert "Nothing was changed." in page.words
    assert not Plan.objects.exists()
    assert browser.get(at).status_code == 404


def test_what_the_registry_does_not_allow_is_said_before_the_yes(actor: Actor, browser: Client) -> None:
    actor.push.image("1.0")
    actor.scan()
    at, _ = post(browser, f"{BASE}/delete-tags", tag="1.0")
    actor.real.__exit__()
    actor.real._deletes = False
    actor.real.__enter__()
    page = get(browser, at)
    assert "This cannot be carried out now. Deletes are off at this registry." in page.words
    assert "disabled" in next(b for b in page.all("button") if "danger" in b.get("class", ""))
    actor.real.__exit__()
    assert "This cannot be carried out now." in get(browser, at).words


def test_a_tag_is_set_at_once_and_moved_only_after_a_yes(actor: Actor, browser: Client) -> None:
    old, new = actor.push.image("latest"), actor.push.image("2.0", seed="2")
    actor.scan()
    form = {"repository": "team/app", "kind": "retag"}
    at, page = post(browser, f"{BASE}/manifests/{new}/copy", tag="stable", **form)
    assert "Tag an image as team/app:stable" in page.words
    assert actor.push_digest("stable") == new

    at, page = post(browser, f"{BASE}/manifests/{new}/copy", tag="latest", **form)
    assert "Nothing was changed yet." in page.words
    assert actor.push_digest("latest") == old
    at, page = post(browser, f"{at}/carry-out")
    assert actor.push_digest("latest") == new
    post(browser, f"{at}/undo")
    assert actor.push_digest("latest") == actor.digest("latest") == old


def test_a_tag_is_renamed_and_the_rename_undone(actor: Actor, browser: Client) -> None:
    digest = actor.push.image("old", "other")
    actor.scan()
    path = f"{BASE}/manifests/{digest}/copy?tag=old"
    at, page = post(browser, path, tag="new", repository="team/app", kind="rename")
    assert "Rename old of team/app to new" in page.words
    assert actor.listed() == {"new", "other"}
    post(browser, f"{at}/undo")
    assert actor.listed() == {"old", "other"}


def test_a_rename_is_not_undone_over_a_tag_that_was_pushed_since(actor: Actor, browser: Client) -> None:
    digest = actor.push.image("old")
    actor.scan()
    at, _ = post(browser, f"{BASE}/manifests/{digest}/copy?tag=old", repository="team/app", tag="new", kind="rename")
    newer = actor.push.image("old", seed="newer")
    actor.scan()

    _, page = post(browser, f"{at}/undo")

    assert "The tag old is there again, and points elsewhere: it was left alone." in page.words
    assert (actor.push_digest("old"), actor.push_digest("new")) == (newer, digest)


def test_an_image_is_promoted_to_another_repository(actor: Actor, browser: Client) -> None:
    digest = actor.push.image("1.0")
    actor.scan()
    post(browser, f"{BASE}/manifests/{digest}/copy", tag="1.0", repository="prod/app", kind="retag", attached="on")
    assert Actor(actor.real, actor.row, actor.person, "prod/app").listed() == {"1.0"}
    assert "1.0" in get(browser, "/r/test/prod/app").words
    assert "before the first scan" not in get(browser, "/r/test/prod/app/-/tags/1.0/history").words
    assert Entry.objects.get().act == "copy"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"tag": ".x", "repository": "team/app"}, "no . or - first"),
        ({"tag": "1", "repository": "Team"}, "Small letters and digits"),
        ({"tag": "", "repository": "team/app"}, "This field is required"),
    ],
)
def test_a_target_that_is_no_name_is_explained(actor: Actor, browser: Client, said: dict[str, str], words: str) -> None:
    digest = actor.push.image("1.0")
    actor.scan()
    response = browser.post(f"{BASE}/manifests/{digest}/copy", {"kind": "retag", **said})
    assert response.status_code == 422
    assert words in Page(response.content.decode()).words
    assert not Plan.objects.exists()


def test_the_history_of_a_tag_says_who_and_points_it_back(actor: Actor, browser: Client) -> None:
    old, new = actor.push.image("latest", "1.0"), actor.push.image("2.0", seed="2")
    actor.scan()
    at, _ = post(browser, f"{BASE}/manifests/{new}/copy", tag="latest", repository="team/app", kind="retag")
    post(browser, f"{at}/carry-out", why="released")
    page = get(browser, f"{BASE}/tags/latest/history")
    assert "tagged · mara" in page.words
    assert "released" in page.words
    assert "before the first scan" in page.words
    actor.push.image("later", seed="later")
    actor.scan()
    assert "before the first scan" not in get(browser, f"{BASE}/tags/later/history").words

    _, page = post(browser, f"{BASE}/tags/latest/roll-back", digest=old)
    assert "Point team/app:latest back" in page.words
    assert "Done: 1 of 1." in page.words
    assert actor.push_digest("latest") == actor.digest("latest") == old
    assert "rolled back · mara" in get(browser, f"{BASE}/tags/latest/history").words


def test_a_tag_points_back_to_an_image_that_no_tag_reaches_while_it_lives(actor: Actor, browser: Client) -> None:
    old = actor.push.image("latest")
    actor.scan()
    actor.push.image("latest", seed="new")
    actor.scan()
    assert Presence.objects.get(manifest__digest=old).gone_at is not None

    post(browser, f"{BASE}/tags/latest/roll-back", digest=old)
    assert actor.push_digest("latest") == old
    newer = next(entry.digest for entry in actor.trash())
    actor.delete_from_outside(newer)
    _, page = post(browser, f"{BASE}/tags/latest/roll-back", digest=newer)
    assert "a part of it is missing at the source" in page.words
    assert actor.push_digest("latest") == old


def test_the_history_tells_the_last_of_very_many_acts(db: None) -> None:
    where = make.repository(make.registry("local"))
    place, now = make.put(where, make.image(), "1"), timezone.now()
    tag = Tag.objects.get(name="1")
    TagSpan.objects.filter(tag=tag).delete()
    TagSpan.objects.create(tag=tag, repository=where, manifest=place.manifest, began=now)
    mine = {"act": Entry.Act.RETAG, "outcome": Entry.Outcome.DONE, "repository": where.name, "tag": "1"}
    moments = [now - timedelta(seconds=n) for n in range(1_001, -1, -1)]
    Entry.objects.bulk_create(
        [Entry(key=f"a{n}", at=at, registry_id=where.registry_id, **mine) for n, at in enumerate(moments)]
    )

    (named,) = history_of(tag, entries_of(tag))

    assert named.act is not None
    assert named.act.key == "a1001"


def test_the_trash_restores_what_is_chosen(actor: Actor, browser: Client) -> None:
    actor.push.image("1", "2", "3")
    actor.scan()
    at, _ = post(browser, f"{BASE}/delete-tags", tag=["1", "2"])
    post(browser, f"{at}/carry-out")
    entries = {entry.tag: entry.pk for entry in actor.trash()}
    page = get(browser, "/trash")
    assert "in 14 days" in page.words
    assert "Restorable" in page.words
    assert page.words.count("each of its layers could be read") == 3  # beside each of the two, and once below
    _, page = post(browser, "/trash/look", entry=list(entries.values()))
    assert "2 entries were checked." in page.words

    actor.push.image("2", seed="newer")
    actor.scan()
    at, page = post(browser, "/trash/restore", entry=list(entries.values()))
    assert actor.outcomes(Plan.objects.latest("pk")) == {"1": "done", "2": "skipped"}
    assert "Restore over the newer tags" in page.words
    post(browser, "/trash/restore", entry=entries["2"], replace="1")
    assert actor.push_digest("2") == actor.push_digest("1")

    post(browser, "/trash/remove", entry=actor.trash()[0].pk)
    assert "Expired" in get(browser, "/trash").words
    assert Entry.objects.latest("id").act == "empty-trash"
    for act in ("restore", "remove", "look"):
        _, page = post(browser, f"/trash/{act}")
        assert "Nothing was chosen that is still in the trash." in page.words


def test_what_no_name_and_no_reason_can_hold_is_left_out(db: None) -> None:
    browser = Client()
    browser.force_login(make.person("mara", staff=True))
    make.put(make.repository(make.registry("test"), "team/app"), make.image(), "1")
    for act in ("delete-tags", "delete-images"):
        response = browser.post(f"{BASE}/{act}", {"tag": "a\0", "digest": "a\0"})
        assert response.status_code == 302
    assert browser.post(f"{BASE}/tags/1/roll-back", {"digest": "a\0"}).status_code == 404
    browser.post(f"{BASE}/delete-tags", {"tag": ["a\0", "1"]})

    plan = Plan.objects.get()
    browser.post(f"/plans/{plan.pk}/give-up")
    plan = tagging.plan(Repository.objects.get())
    browser.post(f"/plans/{plan.pk}/carry-out", {"why": "too\0 \u202eold"})

    assert Plan.objects.get().why == "too old"


@pytest.mark.parametrize("key", ["9" * 20, "9" * 5_000])
def test_what_is_no_key_of_the_trash_is_nothing_chosen(db: None, key: str) -> None:
    browser = Client()
    browser.force_login(make.person("mara", staff=True))
    for act in ("restore", "remove", "look"):
        assert browser.post(f"/trash/{act}", {"entry": key}).status_code == 302


def test_a_breach_is_put_back_with_one_click(actor: Actor, browser: Client) -> None:
    old = actor.push.image("v1")
    actor.scan()
    _, page = post(browser, "/protection/add", repositories="team/*", tags="v*", why="released")
    assert "team/*:v* is protected from now on." in page.words
    breaches.look(timezone.now())
    actor.push.image("v1", seed="other")
    actor.scan()
    breaches.look(timezone.now())

    page = get(browser, "/activity")
    assert "a protected tag was moved from outside" in page.words
    (entry,) = page.all("input", name="entry")
    post(browser, "/trash/restore", entry=entry["value"], revert="1", next="/activity")
    assert actor.push_digest("v1") == old
    assert not get(browser, "/activity").all("input", name="entry")


def test_each_breach_leads_to_what_was_kept_of_it(db: None, client: Client) -> None:
    client.force_login(make.person("mara", staff=True))
    registry, now, kept = make.registry("local"), timezone.now(), []
    for name in ("team/a", "team/b"):
        where = make.repository(registry, name)
        entry = tagging.trash_entry(where, "v1")
        TrashEntry.objects.filter(pk=entry.pk).update(how=TrashEntry.How.OUTSIDE, deleted_at=now)
        said = {"act": Entry.Act.BREACH_MOVE, "outcome": Entry.Outcome.DONE, "digest_before": entry.digest}
        place = {"registry": "local", "registry_id": registry.pk, "repository": name, "tag": "v1"}
        Entry.objects.create(key=f"breach:{where.pk}", at=now, **said, **place)
        kept.append(entry.pk)

    page = client.get("/activity").content.decode()

    assert [page.count(f'name="entry" value="{pk}"') for pk in kept] == [1, 1]


def test_rules_are_previewed_added_and_removed(actor: Actor, browser: Client) -> None:
    actor.push.image("v1", "v2", "latest")
    actor.scan()
    words = get(browser, "/protection/preview?repositories=team/*&tags=v*&registry=test").words
    assert "It matches 2 tags now, in repositories: 1" in words
    assert "It matches no tag now." in get(browser, "/protection/preview?repositories=x&tags=v*").words
    assert get(browser, "/protection/preview?repositories=&tags=").words == ""
    post(browser, "/protection/add", repositories="*", tags="v*")
    response = browser.post("/protection/add", {"repositories": "*", "tags": "v*"})
    assert response.status_code == 422
    assert "There is such a rule already." in Page(response.content.decode()).words
    post(browser, f"/protection/{ProtectionRule.objects.get().pk}/remove")
    assert not ProtectionRule.objects.exists()


def test_who_may_only_read_sees_plans_and_cannot_act(actor: Actor) -> None:
    actor.push.image("1.0", "2.0")
    actor.scan()
    plan = actor.plan_tags("1.0")
    reader = Client()
    reader.force_login(make.person("reader"))
    page = get(reader, plan.get_absolute_url())
    assert "Staff can carry this out." in page.words
    assert not [form for form in page.all("form") if "plans" in form.get("action", "")]
    assert not get(reader, "/r/test/team/app").all("button", form="selection")
    assert reader.post(f"{plan.get_absolute_url()}/carry-out").status_code == 403
    assert actor.listed() == {"1.0", "2.0"}


def test_who_has_not_signed_in_is_not_told_who_acted(actor: Actor, settings: Any) -> None:
    actor.push.image("1.0", "2.0")
    actor.scan()
    plan = actor.carry_out(actor.plan_tags("1.0"))
    settings.ANONYMOUS_READ = True
    for path in ("/activity", "/activity?actor=mara", "/trash", plan.get_absolute_url(), f"{BASE}/tags/1.0/history"):
        words = get(Client(), path).words
        assert "1.0" in words, path
        assert "mara" not in words, path


def test_nothing_changes_by_looking(actor: Actor, browser: Client) -> None:
    actor.push.image("1.0", "2.0")
    actor.scan()
    plan = actor.plan_tags("1.0")
    before = list(Plan.objects.values()), list(actor.repository.tags.values()), actor.listed()
    for path in (plan.get_absolute_url(), "/trash", "/activity", "/protection", f"{BASE}/tags/1.0/history"):
        get(browser, path)
        browser.head(path)
    for path in ("carry-out", "give-up", "undo"):
        assert browser.get(f"{plan.get_absolute_url()}/{path}").status_code == 405
    assert (list(Plan.objects.values()), list(actor.repository.tags.values()), actor.listed()) == before


@pytest.mark.django_db
def test_pages_of_many_rows_cost_as_many_queries_as_of_few(staff: Any) -> None:
    where = make.registry("local", url="http://127.0.0.1:1", plain_http=True)
    app = make.repository(where, "team/app")
    place = make.put(app, make.image(), *(f"t{n}" for n in range(60)))
    client, now = Client(), timezone.now()
    client.force_login(staff)
    costs: dict[int, dict[str, int]] = {}
    for count in (5, 60):
        TrashEntry.objects.all().delete()
        for n in range(count):
            TrashEntry.objects.create(
                registry=where, repository=app, tag=f"t{n}", digest=place.manifest.digest, how="untagged",
                deleted_at=now, until=now + timedelta(days=1),
            )  # fmt: skip
        plan = plan_tags(app, [f"t{n}" for n in range(count)], Asked(staff))
        costs[count] = {}
        ProtectionRule.objects.get_or_create(tags="t*1")
        for name, path in {"trash": "/trash", "plan": plan.get_absolute_url(), "activity": "/activity"}.items():
            with CaptureQueriesContext(connection) as queries:
                get(client, path)
            costs[count][name] = len(queries)
    assert costs[5] == costs[60]
    assert max(costs[60].values()) <= 10, costs


def test_a_digest_and_a_name_of_another_repository_lead_nowhere(actor: Actor, browser: Client) -> None:
    digest = actor.push.image("1.0")
    Actor(actor.real, actor.row, actor.person, "other").push.image("1.0", seed="other")
    actor.scan()
    assert browser.post(f"/r/test/other/-/manifests/{digest}/copy", {"tag": "x"}).status_code == 404
    _, page = post(browser, "/r/test/other/-/delete-images", digest=digest)
    assert "None of these images is there any more" in page.words
    for bad in ("..", "a b", "x" * 129, "<script>"):
        _, page = post(browser, f"{BASE}/delete-tags", tag=bad)
        assert re.search("None of these tags is there any more", page.words)
    assert not Plan.objects.exists()
