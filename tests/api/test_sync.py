"""Image sync for scripts: rules, runs between real registries, copies, and what stands because of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from access.models import User
from api.answers import Listing
from api.plan_shapes import PlanDetailJson
from api.sync_shapes import RuleJson, RunBegunJson, RunJson, SourceJson, SyncedJson, UnreadRuleJson
from audit.models import Entry
from catalog.models import Manifest, Repository
from jobs.models import Job
from jobs.running import run_here
from registries.models import Registry
from sync.models import Item, Rule, Run, Synced
from sync.run_documents import ItemDocument
from tests.api.acting import Hand
from tests.api.asking import ask, walk
from tests.api.test_problems import check
from tests.catalog.scanning import scan
from tests.sync import furniture as make_sync
from tests.sync.conftest import source, syncing, target
from tests.sync.syncing import Syncing, digest_at
from tests.web import furniture as make

__all__ = ["source", "syncing", "target"]

ORDER: dict[str, Any] = {
    "name": "golang",
    "source": "upstream",
    "repositories": ["library/golang"],
    "target": "local",
    "into": "mirror/{repository}",
    "choice": {"ranges": ["^1.25"], "newest": 3},
    "moved": "back-up",
    "schedule": {"when": "cron", "cron": "30 4 * * *", "zone": "Asia/Seoul"},
}


@pytest.fixture
def hand(staff: User) -> Hand:
    return Hand.of(staff)


@pytest.fixture
def upstream(db: None) -> Registry:
    return make_sync.source(username="robot", password="CANARY-1", proxy="http://me:CANARY-2@proxy.example.org:3128")


# -- rules -----------------------------------------------------------------------


def test_a_rule_is_made_told_changed_and_removed(hand: Hand, local: Registry, upstream: Registry) -> None:
    response = hand.post("/sync/rules", ORDER)
    rule = hand.did(response, 201, RuleJson)
    assert response["Location"] == rule["links"]["self"]
    assert (rule["name"], rule["who"], rule["is_on"], rule["choice"]["newest"]) == ("golang", "staff", True, 3)
    assert rule["next_at"].endswith("Z")
    assert ask(hand.client, "/sync/rules/golang", RuleJson) == rule
    assert ask(hand.client, "/sync/rules", Listing[RuleJson])["items"] == [rule]

    changed = hand.did(hand.put("/sync/rules/golang", ORDER | {"name": "go", "schedule": {}}), 200, RuleJson)
    assert (changed["name"], changed["next_at"], changed["schedule"]["when"]) == ("go", None, "by-hand")
    check(hand.client.get("/api/v1/sync/rules/golang"), 404)

    gone = hand.delete("/sync/rules/go")
    assert (gone.status_code, gone.content) == (204, b"")
    check(hand.delete("/sync/rules/go"), 404)
    changed_to = "name: golang → go, schedule.when: cron → by-hand, schedule.cron: 30 4 * * * → nothing"
    assert list(Entry.objects.order_by("id").values_list("act", "actor", "detail")) == [
        ("rule-add", "staff", ""),
        (
            "rule-change",
            "staff",
            f"{changed_to}, schedule.zone: Asia/Seoul → UTC",
        ),
        ("rule-remove", "staff", ""),
    ]


def test_what_is_told_of_a_rule_can_be_sent_back(hand: Hand, local: Registry, upstream: Registry) -> None:
    rule = hand.did(hand.post("/sync/rules", ORDER), 201, RuleJson)
    own = {name: value for name, value in rule.items() if name not in {"next_at", "who", "created_at", "links"}}
    assert hand.did(hand.put("/sync/rules/golang", own), 200, RuleJson) == rule


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"name": "Go!"}, "name"),
        ({"source": "nowhere"}, "source"),
        ({"target": "upstream"}, "target"),  # it is only copied from
        ({"repositories": ["UPPER"]}, "repositories"),
        ({"repositories": ["a\x00b"]}, "repositories.0"),
        ({"into": "{what}"}, "into"),
        ({"choice": {"ranges": ["x y z"]}}, "choice"),
        ({"choice": {"newest": 0}}, "choice.newest"),
        ({"selection": {"platforms": ["linux"]}}, "selection.platforms"),
        ({"schedule": {"when": "cron", "cron": "soon"}}, "schedule.cron"),
        ({"schedule": {"when": "by-hand", "cron": "\ud800"}}, "schedule.cron"),
        ({"bytes_per_second": 5}, "bytes_per_second"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_with_a_rule_is_named(
    hand: Hand, local: Registry, upstream: Registry, change: dict[str, Any], parameter: str
) -> None:
    hand.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "ko"
    body = check(hand.post("/sync/rules", ORDER | change), 422)
    assert [error["parameter"] for error in body["errors"]] == [parameter]
    assert all(error["detail"].isascii() for error in body["errors"])
    assert not Rule.objects.exists()


def test_a_rule_that_cannot_be_read_hides_no_other(hand: Hand, local: Registry, upstream: Registry) -> None:
    for name in ("golang", "newer"):
        assert hand.post("/sync/rules", ORDER | {"name": name}).status_code == 201
    Rule.objects.filter(name="newer").update(terms={"version": 9})

    unread, rule = ask(hand.client, "/sync/rules", Listing[RuleJson | UnreadRuleJson])["items"]
    assert (rule["name"], rule["repositories"]) == ("golang", ["library/golang"])
    assert (unread["name"], unread["source"], "a newer Berth wrote it" in unread["problem"]) == (
        "newer",
        "upstream",
        True,
    )
    assert ask(hand.client, "/sync/rules/newer", UnreadRuleJson) == unread
    body = check(hand.put("/sync/rules/newer", ORDER), 409)
    assert "Nothing was changed." in body["detail"]
    assert "a newer Berth wrote it" in check(hand.post("/sync/rules/newer/runs", {}), 409)["detail"]
    assert Rule.objects.get(name="newer").terms == {"version": 9}
    assert hand.delete("/sync/rules/newer").status_code == 204


def test_two_rules_have_two_names(hand: Hand, local: Registry, upstream: Registry) -> None:
    assert hand.post("/sync/rules", ORDER).status_code == 201
    body = check(hand.post("/sync/rules", ORDER), 422)
    assert body["errors"] == [{"parameter": "name", "detail": "Another rule has that name."}]


def test_pages_of_rules_and_runs_lead_on(client: Client, local: Registry) -> None:
    for number in range(5):
        make_sync.run(make_sync.rule(f"rule-{number}", local))
    forward, back = walk(client, "/sync/rules", limit=2)
    assert [[rule["name"] for rule in page] for page in forward] == [
        *(["rule-4", "rule-3"], ["rule-2", "rule-1"], ["rule-0"]),
    ]
    assert back == forward[::-1]
    forward, _ = walk(client, "/sync/runs", limit=4)
    assert [run["rule"] for page in forward for run in page] == [f"rule-{n}" for n in (4, 3, 2, 1, 0)]


def test_it_costs_as_many_queries_for_60_rows_as_for_10(
    client: Client, local: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (10, 50):
        for number in range(count):
            rule = make_sync.rule(f"rule-{count}-{number}", local)
            make_sync.run(rule, job=make.job(local, Job.State.DONE))
            make_sync.synced(rule, f"{count}.{number}")
        for path in ("rules", "runs", "synced"):
            with django_assert_num_queries(4):
                client.get(f"/api/v1/sync/{path}?limit=200")


# -- sources ---------------------------------------------------------------------


def test_sources_are_told_without_a_secret(client: Client, local: Registry, upstream: Registry) -> None:
    response = client.get("/api/v1/sync/sources")
    assert b"CANARY" not in response.content
    assert b"robot" not in response.content
    (told,) = ask(client, "/sync/sources", Listing[SourceJson])["items"]
    assert (told["name"], told["signs_in"], told["by_proxy"]) == ("upstream", True, True)


# -- runs ------------------------------------------------------------------------


def test_runs_are_found_by_rule_and_state(client: Client, local: Registry) -> None:
    kept, gone = make_sync.rule("kept", local), make_sync.rule("gone", local)
    done = make_sync.run(kept, state=Run.State.DONE)
    new, orphan = make_sync.run(kept), make_sync.run(gone)
    gone.delete()

    def found(**query: str) -> list[int]:
        return [run["id"] for run in ask(client, "/sync/runs", Listing[RunJson], **query)["items"]]

    assert found() == [orphan.pk, new.pk, done.pk]
    assert found(rule="kept") == [new.pk, done.pk]
    assert found(rule="kept", state="done") == [done.pk]
    assert found(rule="gone") == [orphan.pk]
    assert found(rule="never") == []
    check(client.get("/api/v1/sync/runs?state=nonsense"), 422)


def test_items_are_found_by_state_and_act(client: Client, local: Registry) -> None:
    run = make_sync.run(make_sync.rule("app", local))
    for position, (act, state) in enumerate([("copy", "done"), ("copy", "failed"), ("leave", "skipped")]):
        make_sync.item(run, position, act=act, state=state, tag=f"{position}.0")
    path = f"/sync/runs/{run.pk}/items"
    shape = Listing[ItemDocument]
    assert [item["tag"] for item in ask(client, path, shape)["items"]] == ["0.0", "1.0", "2.0"]
    assert [item["tag"] for item in ask(client, path, shape, state="failed")["items"]] == ["1.0"]
    assert [item["tag"] for item in ask(client, path, shape, act="leave")["items"]] == ["2.0"]
    assert len(walk(client, path, limit=2)[0]) == 2
    check(client.get("/api/v1/sync/runs/99/items"), 404)


def test_who_asked_is_told_to_whoever_has_signed_in(client: Client, local: Registry, hand: Hand) -> None:
    run = make_sync.run(make_sync.rule("app", local, created_by="ana"), actor="ana")
    path = f"/sync/runs/{run.pk}"
    assert ask(hand.client, path, RunJson)["who"] == "ana"
    assert ask(hand.client, "/sync/rules/app", RuleJson)["who"] == "ana"
    anonymous = Client()
    assert anonymous.get(f"/api/v1{path}").status_code == 401


def test_links_lead_on(client: Client, local: Registry) -> None:
    run = make_sync.run(make_sync.rule("app", local), job=make.job(local, Job.State.DONE))
    of_rule = ask(client, "/sync/rules/app", RuleJson)["links"]
    of_run = ask(client, f"/sync/runs/{run.pk}", RunJson)["links"]
    for links, acts in ((of_rule, {"run"}), (of_run, {"carry_on", "weigh", "try_again", "stop"})):
        for name, link in links.items():
            assert client.get(link).status_code == (405 if name in acts else 200), name


def test_a_run_that_waits_is_stopped(hand: Hand, local: Registry) -> None:
    run = make_sync.run(make_sync.rule("app", local), state=Run.State.WAITING)
    said = hand.did(hand.post(f"/sync/runs/{run.pk}/stop"), 202, RunJson)
    assert (said["state"], said["message"][:7]) == ("broken-off", "Stopped")
    check(hand.post(f"/sync/runs/{run.pk}/stop"), 409)


def test_what_cannot_be_done_says_why(hand: Hand, local: Registry) -> None:
    run = make_sync.run(make_sync.rule("app", local), state=Run.State.DONE)
    assert "already" in check(hand.post(f"/sync/runs/{run.pk}/carry-on"), 409)["detail"]
    assert "failed" in check(hand.post(f"/sync/runs/{run.pk}/try-again"), 409)["detail"]
    assert "no plan" in check(hand.post(f"/sync/runs/{run.pk}/weigh"), 409)["detail"]
    Run.objects.update(state=Run.State.PLANNED, size=5)
    assert "counted already" in check(hand.post(f"/sync/runs/{run.pk}/weigh"), 409)["detail"]
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rule_is_planned_read_and_carried_out(syncing: Syncing) -> None:
    digest = syncing.push.image("1.0")
    hand = Hand.of(syncing.person)
    order = ORDER | {"repositories": ["library/app"], "target": "ours", "choice": {}}
    assert hand.post("/sync/rules", order).status_code == 201

    begun = hand.did(hand.post("/sync/rules/golang/runs", {"only_plan": True}), 202, RunBegunJson)
    assert (begun["run"]["state"], begun["job"]["state"]) == ("new", "queued")
    again = hand.did(hand.post("/sync/rules/golang/runs", {}), 202, RunBegunJson)
    assert again["run"]["id"] == begun["run"]["id"]
    run_here(begun["job"]["id"])
    path = f"/sync/runs/{begun['run']['id']}"
    planned = ask(hand.client, path, RunJson)
    assert (planned["state"], planned["planned"]["new"], planned["who"]) == ("planned", 1, "mara")
    assert not digest_at(syncing.there, "1.0")

    carried = hand.did(hand.post(f"{path}/carry-on"), 202, RunBegunJson)
    assert carried["run"]["links"]["job"] == carried["job"]["links"]["self"]
    run_here(carried["job"]["id"])
    assert digest_at(syncing.there, "1.0") == digest
    done = ask(hand.client, path, RunJson)
    assert (done["state"], done["message"], done["pulls_spent"]) == ("done", "1 copied, 0 unchanged.", 1)
    (item,) = ask(hand.client, f"{path}/items", Listing[ItemDocument])["items"]
    assert (item["act"], item["state"], item["before"], item["after"]) == ("copy", "done", None, digest)
    (stands,) = ask(hand.client, "/sync/synced", Listing[SyncedJson], registry="ours")["items"]
    assert stands["origin"] == {"registry": "upstream", "repository": "library/app", "tag": "1.0"}
    assert (stands["digest"], stands["upstream_moved"]) == (digest, False)


@pytest.mark.django_db(transaction=True)
def test_the_bytes_of_a_plan_are_counted(syncing: Syncing) -> None:
    syncing.push.image("1.0")
    run = syncing.plan(syncing.rule())
    Run.objects.update(size=None)  # as where the source counts pulls
    hand = Hand.of(syncing.person)
    begun = hand.did(hand.post(f"/sync/runs/{run.pk}/weigh"), 202, RunBegunJson)
    assert begun["run"]["planned"]["size"] is None
    run_here(begun["job"]["id"])
    told = ask(hand.client, f"/sync/runs/{run.pk}", RunJson)
    assert (told["state"], told["planned"]["size"] > 0) == ("planned", True)
    assert not digest_at(syncing.there, "1.0")


@pytest.mark.django_db(transaction=True)
def test_a_tag_is_rolled_back_by_a_plan(syncing: Syncing) -> None:
    syncing.push.image("1.0")
    old = syncing.there.image("1.0", seed="old")
    scan(syncing.target)
    hand = Hand.of(syncing.person)
    syncing.rule()
    run_here(hand.post("/sync/rules/app/runs", {}).json()["job"]["id"])
    assert digest_at(syncing.there, "1.0") != old
    scan(syncing.target)
    path = f"/sync/runs/{Run.objects.get().pk}/items/0/roll-back"

    response = hand.post(path)
    plan = hand.did(response, 201, PlanDetailJson)
    assert (plan["act"], plan["state"], response["Location"]) == ("roll-back", "planned", plan["links"]["self"])
    assert digest_at(syncing.there, "1.0") != old
    assert hand.post(f"/plans/{plan['id']}/carry-out").status_code in {200, 202}
    assert digest_at(syncing.there, "1.0") == old
    scan(syncing.target)
    assert "another image" in check(hand.post(path), 409)["detail"]
    check(hand.post(path.replace("/0/", "/7/")), 404)


@pytest.mark.django_db(transaction=True)
def test_what_failed_is_tried_again(syncing: Syncing) -> None:
    digest = syncing.push.image("1.0")
    run = syncing.plan(syncing.rule())
    Item.objects.update(state=Item.State.FAILED)
    Run.objects.update(state=Run.State.DONE)
    begun = Hand.of(syncing.person).post(f"/sync/runs/{run.pk}/try-again").json()
    run_here(begun["job"]["id"])
    assert digest_at(syncing.there, "1.0") == digest


@pytest.mark.django_db(transaction=True)
def test_a_deep_run_is_asked_for_by_a_word(syncing: Syncing) -> None:
    syncing.rule()
    begun = Hand.of(syncing.person).post("/sync/rules/app/runs", {"deep": True}).json()
    assert (begun["run"]["is_deep"], Run.objects.get().is_deep) == (True, True)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_queued_is_stopped(syncing: Syncing) -> None:
    hand = Hand.of(syncing.person)
    syncing.rule()
    begun = hand.post("/sync/rules/app/runs", {}).json()
    hand.did(hand.post(f"/sync/runs/{begun['run']['id']}/stop"), 202, RunJson)
    assert Job.objects.get().state == Job.State.STOPPED


# -- copies ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_tags_are_copied_from_one_of_ours_to_another(syncing: Syncing) -> None:
    digest = syncing.push.image("1.0")
    Registry.objects.filter(pk=syncing.source.pk).update(role=Registry.Role.CATALOG)
    app = make.repository(syncing.source, "library/app")
    make.put(app, make.image(), "1.0")
    Manifest.objects.update(digest=digest)
    order = {
        "registry": "upstream",
        "repository": "library/app",
        "tags": ["1.0"],
        "target": {"registry": "ours", "repository": "mirror/library/app", "tags": ["stable"]},
    }
    hand = Hand.of(syncing.person)
    begun = hand.did(hand.post("/sync/copies", order), 202, RunBegunJson)
    run_here(begun["job"]["id"])
    assert digest_at(syncing.there, "stable") == digest


@pytest.mark.parametrize(
    ("change", "status", "parameter"),
    [
        ({"repository": "team/none"}, 404, ""),
        ({"tags": []}, 422, "tags"),
        ({"tags": ["1.0", "1.0"]}, 422, "tags"),
        ({"tags": ["-"]}, 422, "tags.0"),
        ({"target": {"registry": "none", "repository": "team/app"}}, 422, "target.registry"),
        ({"target": {"registry": "local", "repository": "team/app", "tags": ["a", "b"]}}, 422, "target.tags"),
        ({"target": {"registry": "local", "repository": "UP"}}, 422, "target.repository"),
        ({"moved": "burn"}, 422, "moved"),
        ({"tags": ["9.9"]}, 409, ""),
    ],
)
def test_a_copy_that_cannot_be_is_refused(
    hand: Hand, app: Repository, change: dict[str, Any], status: int, parameter: str
) -> None:
    make.put(app, make.image(), "1.0")
    order = {
        "registry": "local",
        "repository": "team/app",
        "tags": ["1.0"],
        "target": {"registry": "local", "repository": "team/other"},
    }
    body = check(hand.post("/sync/copies", order | change), status)
    assert [error["parameter"] for error in body.get("errors", [])] == ([parameter] if parameter else [])
    assert not Run.objects.exists()


def test_what_stands_because_of_sync_says_where_its_origin_is(client: Client, local: Registry) -> None:
    rule = make_sync.rule("app", local, source=make_sync.source())
    make_sync.synced(rule, "1.0")
    make_sync.synced(rule, "2.0", seen="sha256:" + "b" * 64)
    make_sync.synced(rule, "3.0", seen="")
    make_sync.synced(rule, "1.0", repository="mirror/other")
    rows = ask(client, "/sync/synced", Listing[SyncedJson], registry="local", repository="mirror/library/app")["items"]
    assert [(row["tag"], row["seen"] is None, row["upstream_moved"]) for row in rows] == [
        *(("3.0", True, True), ("2.0", False, True), ("1.0", False, False)),
    ]
    assert Synced.objects.count() == 4
    assert ask(client, "/sync/synced", Listing[SyncedJson], registry="none")["items"] == []
