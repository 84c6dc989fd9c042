"""The pages of sync rules: what they do and did, and from where a repository was synced."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job
from registries.models import Registry
from sync.models import Item, Rule, Run, Synced
from tests.web import furniture as make
from tests.web import harbour_sync as rows
from tests.web.pages import Page
from tests.web.sync_sent import DIGEST, standing, typed, words, working

pytestmark = pytest.mark.django_db(databases="__all__")

EVIL: Final = "<img src=x onerror=alert(1)>\"'&"


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


def test_a_rule_of_a_newer_berth_is_shown_and_not_touched(staff_client: Client, rule: Rule) -> None:
    Rule.objects.update(terms={"version": 9})
    url = rule.get_absolute_url()

    assert "a newer Berth wrote it" in words(staff_client, "/sync")
    assert "It does not run." in words(staff_client, url)
    for page in ("edit", "switch", "run", "plan"):
        response = staff_client.post(f"{url}/{page}", typed(on="1"), follow=True)
        assert "Nothing was changed." in Page(response.content.decode()).words
    assert Rule.objects.get().terms == {"version": 9}
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "damage", [{"schedule": {"when": "every", "cron": "", "zone": "UTC", "every": "soon", "window": ""}}, {"into": 5}]
)
def test_a_rule_whose_row_was_damaged_is_in_nobodys_way(
    staff_client: Client, rule: Rule, damage: dict[str, object]
) -> None:
    Rule.objects.update(terms=rule.terms | damage)
    rows.rule(rule.target, rule.source, "python")

    assert "python" in words(staff_client, "/sync")
    assert "It does not run." in words(staff_client, rule.get_absolute_url())
    staff_client.post(f"{rule.get_absolute_url()}/switch", {"on": "0"})
    assert not Rule.objects.get(name=rule.name).is_on


def test_a_time_zone_that_this_machine_does_not_know_is_said(staff_client: Client, rule: Rule) -> None:
    due = {"when": "cron", "cron": "30 4 * * *", "zone": "Mars/Olympus", "every": 0, "window": ""}
    Rule.objects.update(terms=rule.terms | {"schedule": due}, is_on=False)

    response = staff_client.post(f"{rule.get_absolute_url()}/switch", {"on": "1"}, follow=True)

    assert "This machine knows no such time zone." in Page(response.content.decode()).words
    assert not Rule.objects.get().is_on


def test_the_page_of_a_rule_leads_those_to_its_source_who_may_see_it(
    client: Client, staff_client: Client, rule: Rule
) -> None:
    for who, leads in ((client, False), (staff_client, True)):
        page = Page(who.get(rule.get_absolute_url()).content.decode())
        assert ("/sync/sources/hub" in page.links) is leads
        assert "/r/local" in page.links


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
        *(f"{rule.get_absolute_url()}/{verb}" for verb in ("run", "plan", "switch")),
        *(f"{run.get_absolute_url()}/{verb}" for verb in ("carry-on", "try-again")),
    ):
        text = Page(staff_client.post(url, {"on": "1"}, follow=True).content.decode()).words
        assert "The registry was removed from Berth" in text, url
    assert not Job.objects.exists()
    staff_client.post(f"{rule.get_absolute_url()}/remove")  # or it would be there for ever
    assert not Rule.objects.exists()


def test_the_page_of_a_rule_says_where_upstream_is(client: Client, rule: Rule) -> None:
    other = make.digest_of(b"other")
    for tag, seen in (("same", DIGEST), ("moved", other), ("gone", "")):
        rows.synced(rule, tag, digest=DIGEST, seen=seen)

    text = words(client, rule.get_absolute_url())

    for tag, word in (("same", "the same"), ("moved", "Moved upstream"), ("gone", "Gone upstream")):
        after = text[text.index(f"{tag} mirror/library/golang") :]
        assert 0 < after.index(word) < 250


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
