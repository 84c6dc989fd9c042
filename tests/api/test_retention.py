"""Policies of retention, their runs, and why a tag stays, through the API."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from access.models import User
from api.answers import Listing
from api.retention_policies import ExplainedJson
from api.retention_shapes import (
    KeptJson,
    PolicyJson,
    RetentionBegunJson,
    RetentionRunJson,
    RunRepositoryJson,
    RunTagJson,
    UnreadPolicyJson,
)
from catalog.models import Repository
from cleanup.models import Policy, RetentionRun, RunRepository, RunTag
from jobs.models import Job
from registries.models import Registry
from tests.api.acting import Hand
from tests.api.asking import ask, names, walk
from tests.cleanup.retention.furniture import aged
from tests.tagging import furniture as tagging
from tests.web import furniture as make
from tests.web import harbour_retention as rows

RELEASES: Final[dict[str, Any]] = {
    "name": "releases",
    "registry": "local",
    "repositories": ["team/*", "!team/prod"],
    "rules": [{"tags": ["1.*"], "newest_versions": 3, "line": "minor", "pulled_within": 30}],
    "schedule": {"when": "cron", "cron": "30 4 * * *", "zone": "Asia/Seoul", "window": "02:00-06:00"},
}


@pytest.fixture
def staffs(staff: User) -> Hand:
    return Hand.of(staff)


@pytest.fixture
def aging(app: Repository) -> Repository:
    for days, tag in enumerate(("1.0", "1.1", "1.2"), 1):
        aged(app, days, tag)
    make.settle(app)
    return app


def planned(app: Repository) -> RetentionRun:
    run = rows.run(app.registry, RetentionRun.State.PLANNED)
    place = rows.place(run, app)
    rows.tags(place, "1.0", "1.1", "1.2")
    rows.settle(run)
    return run


def test_a_policy_is_added_told_changed_and_removed(staffs: Hand, client: Client, local: Registry) -> None:
    said = staffs.did(staffs.post("/retention/policies", RELEASES), 201, PolicyJson)
    assert said["rules"][0]["newest_versions"] == 3
    assert (said["aliases"], said["may_empty"], said["position"], said["who"]) == ("kept", False, 1, "staff")
    assert said["next_at"]
    assert ask(client, "/retention/policies/releases", PolicyJson) == said
    for link in ("runs", "page"):
        assert client.get(said["links"][link]).status_code == 200

    told = {name: said[name] for name in (*RELEASES, "aliases", "may_empty", "uses_created", "is_on")}
    staffs.did(staffs.put("/retention/policies/releases", told), 200, PolicyJson)
    assert Policy.objects.get().read().written()["rules"] == said["rules"]
    changed = staffs.did(
        staffs.put("/retention/policies/releases", told | {"name": "all", "rules": []}), 200, PolicyJson
    )
    assert (changed["name"], changed["rules"]) == ("all", [])
    assert staffs.delete("/retention/policies/all").status_code == 204
    assert not Policy.objects.exists()


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"name": "Not so"}, "name"),
        ({"registry": "nobody"}, "registry"),
        ({"repositories": []}, "repositories"),
        ({"repositories": ["("]}, "repositories"),
        ({"rules": [{}]}, "rules.0.tags"),
        ({"rules": [{"tags": ["a b"]}]}, "rules.0.tags"),
        ({"rules": [{"tags": ["*"], "newest": 0}]}, "rules.0.newest"),
        ({"rules": [{"tags": ["*"], "oldest": 1}]}, "rules.0.oldest"),
        ({"schedule": {"when": "event"}}, "schedule.when"),
        ({"schedule": {"when": "cron", "cron": "* * * * *"}}, "schedule.cron"),
        ({"keep": 3}, "keep"),
    ],
)
def test_what_is_no_policy_is_refused_at_its_place(
    staffs: Hand, local: Registry, change: dict[str, Any], parameter: str
) -> None:
    response = staffs.post("/retention/policies", RELEASES | change)

    assert response.status_code == 422
    assert parameter in {error["parameter"] for error in response.json()["errors"]}
    assert not Policy.objects.exists()


def test_policies_are_listed_and_put_in_order(staffs: Hand, client: Client, local: Registry) -> None:
    for position, name in enumerate(("a", "b", "c"), 1):
        rows.policy(local, name, position=position)
    rows.policy(make.registry("edge"), "other")

    assert names(ask(client, "/retention/policies", Listing[PolicyJson], registry="local")) == ["a", "b", "c"]
    order = {"registry": "local", "policies": ["c"]}
    said = staffs.did(staffs.post("/retention/order", order), 200, Listing[PolicyJson])
    assert names(said) == ["c", "a", "b"]
    assert staffs.post("/retention/order", {"registry": "local", "policies": ["other"]}).status_code == 422


def test_a_policy_that_cannot_be_read_is_told_as_such(client: Client, staffs: Hand, aging: Repository) -> None:
    rows.policy(aging.registry, "later")
    Policy.objects.update(terms={"version": 9})

    said = ask(client, "/retention/policies/later", UnreadPolicyJson)
    assert "newer Berth" in said["problem"]
    response = staffs.post("/retention/explain", {"registry": "local", "repository": "team/app"})
    assert response.status_code == 409
    assert "later" in response.json()["detail"]


def test_why_tags_stay_is_explained_by_any_terms(staffs: Hand, aging: Repository) -> None:
    place = {"registry": "local", "repository": "team/app"}
    terms = {"repositories": ["*"], "rules": [{"tags": ["*"], "newest": 2}]}

    assert staffs.post("/retention/explain", place).status_code == 404  # no policy decides
    said = staffs.did(staffs.post("/retention/explain", place | {"terms": terms}), 200, ExplainedJson)
    assert (said["policy"], said["decides"], said["kept"], said["doomed"]) == (None, None, 2, 1)
    assert [(tag["tag"], tag["stays"], tag["why"]) for tag in said["tags"]] == [
        ("1.0", True, ["newest"]),
        ("1.1", True, ["newest"]),
        ("1.2", False, ["rule"]),
    ]
    assert said["tags"][2]["sentences"] == ["no condition of the rule on * keeps it"]

    rows.policy(aging.registry, "first", {"tags": ["*"], "newest": 1})
    rows.policy(aging.registry, "second", position=2)
    said = staffs.did(staffs.post("/retention/explain", place | {"tags": ["1.2"]}), 200, ExplainedJson)
    assert (said["policy"], len(said["tags"]), said["doomed"], said["needs_yes"]) == ("first", 1, 2, True)
    said = staffs.did(staffs.post("/retention/explain", place | {"policy": "second"}), 200, ExplainedJson)
    assert (said["policy"], said["decides"], said["kept"]) == ("second", "first", 3)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"policy": "none"}, 404),
        ({"repository": "team/none"}, 404),
        ({"repository": "../up"}, 422),
        ({"tags": ["a b"]}, 422),
        ({"policy": "a", "terms": {"repositories": ["*"]}}, 422),
        ({"terms": {"repositories": ["("]}}, 422),
        ({"terms": {"repositories": ["*"], "rules": [{"tags": ["*"], "newest": "2"}]}}, 422),
    ],
)
def test_what_cannot_be_explained_is_refused(
    staffs: Hand, aging: Repository, more: dict[str, Any], status: int
) -> None:
    order = {"registry": "local", "repository": "team/app", **more}
    assert staffs.post("/retention/explain", order).status_code == status


def test_a_run_is_begun_once(staffs: Hand, local: Registry) -> None:
    rows.policy(local, "app")
    order = {"registry": "local", "only_plan": True, "policies": ["app"]}
    said = staffs.did(staffs.post("/retention/runs", order), 202, RetentionBegunJson)
    assert (said["run"]["policies"], said["run"]["state"], said["job"]["kind"]) == (["app"], "new", "retention")
    again = staffs.did(staffs.post("/retention/runs", {"registry": "local"}), 202, RetentionBegunJson)
    assert again["run"]["id"] == said["run"]["id"]
    stopped = staffs.did(staffs.post(f"/retention/runs/{said['run']['id']}/stop"), 202, RetentionRunJson)
    assert stopped["id"] == said["run"]["id"]
    for wrong in ({}, {"registry": "nobody"}, {"registry": "local", "policies": ["none"]}):
        assert staffs.post("/retention/runs", wrong).status_code == 422


def test_a_run_is_told_with_what_goes_and_what_stays(client: Client, app: Repository) -> None:
    rows.policy(app.registry, "platform", {"tags": ["1.*"], "newest": 3}, {"tags": ["main-*"], "newest": 10})
    run = planned(app)
    RunTag.objects.filter(tag="1.1").update(state=RunTag.State.DONE, plan=tagging.plan(app))

    said = ask(client, f"/retention/runs/{run.pk}", RetentionRunJson)
    assert (said["state"], said["doomed"], said["kept"], said["frees_is_exact"]) == ("planned", 3, 6, True)
    for link in ("self", "repositories", "tags", "page"):
        assert client.get(said["links"][link]).status_code == 200
    places = ask(client, f"/retention/runs/{run.pk}/repositories", Listing[RunRepositoryJson])["items"]
    assert (places[0]["repository"], places[0]["doomed"]) == ("team/app", 3)
    assert {"sentence": "no rule speaks of it", "tags": 1} in places[0]["kept_because"]
    tags = ask(client, f"/retention/runs/{run.pk}/tags", Listing[RunTagJson], repository="team/app")["items"]
    assert [(tag["tag"], tag["state"], tag["plan"] is not None) for tag in tags] == [
        ("1.0", "planned", False),
        ("1.1", "done", True),
        ("1.2", "planned", False),
    ]
    assert tags[0]["sentence"] == "no condition of the rule on 1.* keeps it"
    done = ask(client, f"/retention/runs/{run.pk}/tags", Listing[RunTagJson], state="done")["items"]
    assert [tag["tag"] for tag in done] == ["1.1"]
    kept = ask(client, f"/retention/runs/{run.pk}/kept", Listing[KeptJson], repository="team/app")["items"]
    assert {"tag": "stable", "why": "alias", "sentence": "alias of 1.27.2"} in kept
    assert client.get(f"/api/v1/retention/runs/{run.pk}/kept?repository=team/none").status_code == 404


def test_lists_are_walked_to_their_ends(
    client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    runs = [planned(app).pk for _ in range(5)]
    forward, back = walk(client, "/retention/runs", limit=2)
    assert [row["id"] for page in forward for row in page] == runs[::-1]
    assert forward == back[::-1]
    for path, query in (("tags", {}), ("kept", {"repository": "team/app"})):
        forward, back = walk(client, f"/retention/runs/{runs[0]}/{path}", limit=2, **query)
        assert len([row for page in forward for row in page]) == (3 if path == "tags" else 6)
        assert [row for page in forward for row in page] == [row for page in back[::-1] for row in page]
    with django_assert_max_num_queries(7):
        ask(client, "/retention/runs", Listing[RetentionRunJson], registry="local", state="planned")
    wrong = client.get(f"/api/v1/retention/runs/{runs[0]}/kept?repository=team/app&cursor=x")
    assert wrong.status_code == 422


def test_a_plan_is_carried_out_and_what_is_done_is_not_done_again(staffs: Hand, app: Repository) -> None:
    run = planned(app)

    said = staffs.did(staffs.post(f"/retention/runs/{run.pk}/carry-on", {"allow": True}), 202, RetentionBegunJson)
    assert said["job"]["kind"] == "retention"
    assert Job.objects.get().params["allowed"] == {"run": run.pk}
    RetentionRun.objects.update(state=RetentionRun.State.DONE)
    RunTag.objects.update(state=RunTag.State.DONE)
    RunRepository.objects.update(state=RunRepository.State.DONE)
    assert staffs.post(f"/retention/runs/{run.pk}/carry-on", {}).status_code == 409


def test_a_question_is_answered(staffs: Hand, app: Repository) -> None:
    run = planned(app)
    assert staffs.post(f"/retention/runs/{run.pk}/allow").status_code == 409
    question = {"kind": "retention", "text": "Delete?", "yes": "Yes", "no": "No", "allow": {"run": run.pk}}
    params = {"registry": run.registry_id, "run": run.pk}
    subject = run.registry.job_subject
    job = make.job(run.registry, Job.State.ASKING, kind="retention", subject=subject, question=question, params=params)
    RetentionRun.objects.update(job=job, state=RetentionRun.State.ASKING)

    staffs.did(staffs.post(f"/retention/runs/{run.pk}/allow"), 202, RetentionRunJson)
    job.refresh_from_db()
    assert job.params["allowed"] == {"run": run.pk}
