"""Who did what, and what a tag has named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from api.activity import EntryJson
from api.answers import Listing, stamp
from api.history import SpanJson
from audit.models import Entry
from audit.services import record
from catalog.models import Repository
from tests.api.acting import Hand
from tests.api.asking import ask, walk
from tests.api.test_problems import check
from tests.tagging.acting import Actor

ACTIVITY = Listing[EntryJson]
HISTORY = Listing[SpanJson]
TAG = "/repositories/test/team/app/-/tags/latest"


def done(key: str, **more: Any) -> None:
    said = {"act": Entry.Act.DELETE_TAG, "outcome": Entry.Outcome.DONE, "actor": "ana"}
    place = {"registry": "local", "repository": "team/app", "tag": "1.0"}
    record([Entry(key=key, **{**said, **place, **more})])


def test_it_tells_who_did_what_and_how_it_ended(client: Client, app: Repository) -> None:
    done("1", registry_id=app.registry_id, why="a slip", detail="<b>it is gone</b>", plan_id=99)
    [told] = ask(client, "/activity", ACTIVITY)["items"]
    assert (told["act"], told["outcome"], told["actor"]) == ("delete-tag", "done", "ana")
    assert (told["registry"], told["repository"], told["tag"]) == ("local", "team/app", "1.0")
    assert (told["why"], told["detail"]) == ("a slip", "<b>it is gone</b>")
    assert (told["digest_before"], told["links"]["plan"]) == (None, None)


def test_it_is_narrowed(client: Client, app: Repository) -> None:
    done("1", registry_id=app.registry_id)
    done("2", registry_id=app.registry_id, tag="2.0", actor="ben")
    done("3", registry_id=app.registry_id, repository="team/other", act=Entry.Act.RESTORE)
    done("4", registry_id=999, registry="forgotten")
    for query, count in [
        ({"registry": "local"}, 3),
        ({"registry": "forgotten"}, 1),
        ({"registry": "none"}, 0),
        ({"repository": "team/other"}, 1),
        ({"tag": "1.0", "repository": "team/app"}, 2),
        ({"actor": "ben"}, 1),
        ({"act": "restore"}, 1),
    ]:
        assert len(ask(client, "/activity", ACTIVITY, **query)["items"]) == count, query
    check(client.get("/api/v1/activity?act=explode"), 422)


def test_the_newest_comes_first_and_pages_lead_on(client: Client, db: None) -> None:
    for number in range(5):
        done(str(number), tag=f"1.{number}")
    forward, back = walk(client, "/activity", limit=2)
    assert [[item["tag"] for item in page] for page in forward] == [["1.4", "1.3"], ["1.2", "1.1"], ["1.0"]]
    assert back == forward[::-1]


def test_it_costs_as_many_queries_for_60_entries_as_for_10(
    client: Client, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (10, 50):
        for number in range(count):
            done(f"{count}-{number}", plan_id=number + 1)
        with django_assert_num_queries(5):
            client.get("/api/v1/activity?limit=200")


def test_who_may_only_read_is_not_told_who_it_was(db: None, settings: Settings) -> None:
    settings.ANONYMOUS_READ = True
    done("1")
    assert ask(Client(), "/activity", ACTIVITY)["items"][0]["actor"] is None
    check(Client().get("/api/v1/activity?actor=ana"), 401)


def test_who_may_only_read_is_not_told_whom_notices_go_to(client: Client, db: None, settings: Settings) -> None:
    settings.ANONYMOUS_READ = True
    done("1", act="notice-add", detail="ops (ana@example.org)")
    assert ask(Client(), "/activity", ACTIVITY)["items"][0]["detail"] is None
    assert ask(client, "/activity", ACTIVITY)["items"][0]["detail"] == "ops (ana@example.org)"


@pytest.mark.django_db(transaction=True)
def test_a_tag_has_a_history(actor: Actor, hand: Hand, settings: Settings) -> None:
    old = actor.push.image("latest", "1.0")
    actor.scan()
    new = actor.push.image("latest", layers=[b"newer"])
    actor.scan()
    order = {"act": "roll-back", "registry": "test", "repository": "team/app", "tag": "latest", "digest": old}
    plan = hand.post("/plans", order).json()
    hand.post(f"/plans/{plan['id']}/carry-out")
    spans = ask(hand.client, f"{TAG}/history", HISTORY)["items"]
    assert [span["digest"] for span in spans] == [old, new, old]
    assert [(span["act"], span["who"]) for span in spans] == [("roll-back", "staff"), (None, None), (None, None)]
    assert [span["ended"] for span in spans] == [None, spans[0]["began"], spans[1]["began"]]
    assert spans[0]["is_here"]
    forward, back = walk(hand.client, f"{TAG}/history", limit=2)
    assert [[span["digest"] for span in page] for page in forward] == [[old, new], [old]]
    assert back == forward[::-1]
    settings.ANONYMOUS_READ = True
    told = ask(Client(), f"{TAG}/history", HISTORY)["items"][0]
    assert (told["act"], told["who"]) == ("roll-back", None)
    check(hand.client.get("/api/v1/repositories/test/team/app/-/tags/none/history"), 404)


@pytest.mark.django_db(transaction=True)
def test_what_was_done_through_the_api_is_in_the_activity(actor: Actor, hand: Hand) -> None:
    digest = actor.push.image("latest", "1.0")
    actor.scan()
    before = timezone.now() - timedelta(seconds=1)
    plan = hand.delete(f"{TAG}?why=too%20vague").json()
    [told] = ask(hand.client, "/activity", ACTIVITY, actor="staff", tag="latest")["items"]
    assert (told["act"], told["why"], told["digest_before"]) == ("delete-tag", "too vague", digest)
    assert told["links"]["plan"] == plan["links"]["self"]
    assert told["at"] > before.isoformat()


def test_it_tells_what_registries_claim(client: Client, app: Repository) -> None:
    now = timezone.now()
    claims = {"address": "10.0.0.7", "user_agent": "docker/28", "event_id": "e1", "claimed_at": now, "since": now}
    done("1", act="mount", source="event", count=3, from_repository="base/python", **claims)
    [told] = ask(client, "/activity", ACTIVITY)["items"]
    assert (told["source"], told["count"], told["from_repository"]) == ("event", 3, "base/python")
    assert (told["address"], told["user_agent"], told["event_id"]) == ("10.0.0.7", "docker/28", "e1")
    assert told["claimed_at"] == told["since"] == stamp(now)


def test_it_is_narrowed_by_what_registries_tell(client: Client, app: Repository) -> None:
    digest, now = f"sha256:{'a' * 64}", timezone.now()
    done("2", act="move", repository="team/other", digest_before=digest, at=now - timedelta(days=9))
    done("1", act="push", source="event", address="10.0.0.7", digest_after=digest)
    done("3", act="pull", outcome="failed", repository="web/app")
    for query, count in [
        ({"act": "pushes"}, 2),
        ({"repository": "team/*"}, 2),
        ({"repository": "*/app"}, 2),
        ({"digest": digest}, 2),
        ({"address": "10.0.0.7"}, 1),
        ({"outcome": "failed"}, 1),
        ({"source": "event"}, 1),
        ({"to": (now - timedelta(days=2)).date().isoformat()}, 1),
        ({"from": (now - timedelta(days=2)).isoformat()}, 2),
    ]:
        assert len(ask(client, "/activity", ACTIVITY, **query)["items"]) == count, query
        text = client.get("/api/v1/activity/export", query).getvalue().decode()
        assert len(text.splitlines()) == count, query
    for query in ({"from": "tomorrow"}, {"digest": "sha256:x"}, {"outcome": "lost"}, {"source": "me"}, {"act": "all"}):
        check(client.get("/api/v1/activity", query), 422)
        check(client.get("/api/v1/activity/export", query), 422)


def test_all_of_it_is_taken_as_a_file(client: Client, app: Repository, settings: Settings) -> None:
    done("1", actor="=1+1")
    response = client.get("/api/v1/activity/export?format=csv")
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "'=1+1" in response.getvalue().decode()
    check(client.get("/api/v1/activity/export?format=xlsx"), 422)
    settings.ANONYMOUS_READ = True
    check(Client().get("/api/v1/activity/export"), 401)


def test_who_may_only_read_is_not_told_from_where(db: None, settings: Settings) -> None:
    settings.ANONYMOUS_READ = True
    done("1", address="10.0.0.7", user_agent="docker/28")
    [told] = ask(Client(), "/activity", ACTIVITY)["items"]
    assert (told["address"], told["user_agent"]) == (None, None)
    check(Client().get("/api/v1/activity?address=10.0.0.7"), 401)
