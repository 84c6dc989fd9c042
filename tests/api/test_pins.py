"""Pins: what clusters say they run, by the API."""

from __future__ import annotations

from typing import Any, Final

import pytest

from access.models import User
from api.answers import Listing
from api.pins import LARGEST, HolderJson, PinJson, ToldJson
from cleanup.models import Pin, PinHolder
from tests.api.acting import Hand
from tests.api.asking import ROOT, ask, walk
from tests.api.test_problems import check

HOLDERS = Listing[HolderJson]
A: Final = "sha256:" + "a" * 64
B: Final = "sha256:" + "b" * 64
C: Final = "sha256:" + "c" * 64
# What `kubectl get pods -A -o jsonpath='{..imageID}'` prints: of containerd, of docker, of what has not begun.
KUBECTL: Final = f"registry.example.com/team/app@{A}  docker-pullable://registry.example.com/team/web@{B} docker://{C} "


@pytest.fixture
def hand(staff: User) -> Hand:
    return Hand.of(staff)


def post_lines(hand: Hand, text: str | bytes, query: str = "holder=cluster-a", kind: str = "text/plain") -> Any:
    return hand.client.generic("POST", f"{ROOT}/pins?{query}", text, kind, headers=hand.headers())


def test_a_report_is_made_told_and_let_go_of(hand: Hand) -> None:
    order = {"holder": "cluster-a", "digests": [A, f"docker-pullable://team/app@{B}", "team/app:1.0", None, 7]}
    response = hand.post("/pins", order)
    told = hand.did(response, 200, ToldJson)
    assert {name: told[name] for name in ("holder", "digests", "unread", "samples")} == {
        "holder": "cluster-a",
        "digests": 2,
        "unread": 3,
        "samples": ["team/app:1.0", "None", "7"],
    }
    assert response["Location"] == told["links"]["self"]
    holder = ask(hand.client, "/pins/cluster-a", HolderJson)
    assert ask(hand.client, "/pins", HOLDERS)["items"] == [holder]
    assert (holder["digests"], holder["told"], holder["unread"], holder["who"]) == (2, 2, 3, "staff")
    assert holder["first_ends_at"] == holder["last_ends_at"] == told["ends_at"]
    gone = hand.delete("/pins/cluster-a")
    assert (gone.status_code, gone.content) == (204, b"")
    check(hand.delete("/pins/cluster-a"), 404)
    assert not Pin.objects.exists()


@pytest.mark.parametrize("text", [KUBECTL, KUBECTL.replace(" ", "\n"), KUBECTL.replace(" ", "\r\n")])
def test_a_report_comes_as_lines_too(hand: Hand, text: str) -> None:
    told = hand.did(post_lines(hand, text, "holder=cluster-a&for_hours=5"), 200, ToldJson)
    assert (told["digests"], told["unread"]) == (3, 0)
    assert set(Pin.objects.values_list("digest", flat=True)) == {A, B, C}


def test_lines_that_are_no_text_are_counted(hand: Hand) -> None:
    told = hand.did(post_lines(hand, b"\xff\xfe " + A.encode()), 200, ToldJson)
    assert (told["digests"], told["unread"]) == (1, 1)


def test_a_cluster_that_runs_nothing_says_so(hand: Hand) -> None:
    assert hand.did(post_lines(hand, "\n"), 200, ToldJson)["digests"] == 0


@pytest.mark.parametrize(
    ("order", "parameter"),
    [
        ({"digests": [A]}, "holder"),
        ({"holder": "a b", "digests": [A]}, "holder"),
        ({"holder": "a"}, "digests"),
        ({"holder": "a", "digests": A}, "digests"),
        ({"holder": "a", "digests": [A], "for_hours": 0}, "for_hours"),
        ({"holder": "a", "digests": [A], "for_hours": "9"}, "for_hours"),
        ({"holder": "a", "digests": [A], "hours": 9}, "hours"),
        ([], "body"),
    ],
)
def test_what_is_no_report_is_named(hand: Hand, order: object, parameter: str) -> None:
    body = check(hand.post("/pins", order), 422)
    assert [error["parameter"] for error in body["errors"]] == [parameter]
    assert not PinHolder.objects.exists()


def test_lines_without_a_holder_are_refused(hand: Hand) -> None:
    assert check(post_lines(hand, A, ""), 422)["errors"][0]["parameter"] == "holder"
    assert check(post_lines(hand, A, "holder=a&for_hours=x"), 422)["errors"][0]["parameter"] == "for_hours"
    assert check(post_lines(hand, "{", kind="application/json"), 422)["errors"][0]["parameter"] == "body"


def test_a_body_of_another_kind_says_what_is_taken(hand: Hand) -> None:
    body = check(post_lines(hand, A, kind="application/x-www-form-urlencoded"), 415)
    assert "text/plain" in body["detail"]
    assert not Pin.objects.exists()


@pytest.mark.any_database
def test_a_report_is_larger_than_other_requests_and_has_a_bound(hand: Hand) -> None:
    text = f"registry.example.com/{'x' * 100}@{A}\n".encode()
    assert hand.did(post_lines(hand, text * (3 * 2**20 // len(text))), 200, ToldJson)["digests"] == 1
    check(post_lines(hand, b" " * (LARGEST + 1)), 413)
    check(post_lines(hand, f"{A} " * 100_001), 422)


def test_who_only_reads_is_told_no_names(hand: Hand, reader: User) -> None:
    hand.post("/pins", {"holder": "cluster-a", "digests": [A]})
    check(Hand.of(reader).post("/pins", {"holder": "cluster-b", "digests": [A]}), 403)
    check(Hand.of(reader).delete("/pins/cluster-a"), 403)
    assert PinHolder.objects.count() == 1


def test_the_newest_comes_first_and_pages_lead_on(hand: Hand) -> None:
    for number in range(5):
        hand.post("/pins", {"holder": f"c{number}", "digests": []})
    forward, back = walk(hand.client, "/pins", limit=2)
    assert [[one["holder"] for one in page] for page in forward] == [["c4", "c3"], ["c2", "c1"], ["c0"]]
    assert back == forward[::-1]


def test_what_a_holder_pins_is_listed_what_ends_first_before_the_others(hand: Hand) -> None:
    hand.post("/pins", {"holder": "cluster-a", "digests": [A], "for_hours": 9})
    hand.post("/pins", {"holder": "cluster-a", "digests": [B, C], "for_hours": 5})
    hand.post("/pins", {"holder": "cluster-b", "digests": ["sha256:" + "d" * 64]})
    holder = ask(hand.client, "/pins/cluster-a", HolderJson)
    assert hand.client.get(holder["links"]["page"]).status_code == 200
    found = ask(hand.client, "/pins/cluster-a/digests", Listing[PinJson])["items"]
    assert [row["digest"] for row in found][-1] == A
    assert {row["digest"] for row in found} == {A, B, C}
    assert found[-1]["ends_at"] == holder["last_ends_at"]
    forward, back = walk(hand.client, "/pins/cluster-a/digests", limit=1)
    assert [row["digest"] for page in forward for row in page] == [row["digest"] for row in found]
    assert forward == back[::-1]
    check(hand.client.get(f"{ROOT}/pins/nobody/digests"), 404)
