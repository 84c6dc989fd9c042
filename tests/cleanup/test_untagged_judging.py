"""Which manifests nothing reaches, and in which order they may go: examples, and whatever hypothesis thinks of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanup.untagged.judging import Found, Stay, in_order, judge, reasons_to_go

pytestmark = pytest.mark.any_database

NOW: Final = datetime(2026, 11, 28, tzinfo=UTC)
OLD, NEW = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


def of(*found: Found) -> dict[str, Found]:
    return {one.digest: one for one in found}


def old(digest: str, *lists: str, subject: str = "") -> Found:
    return Found(digest, lists=lists, subject=subject, since=OLD)


def goes(
    found: Mapping[str, Found],
    tagged: Collection[str] = (),
    pinned: Collection[str] = (),
    trash: Collection[str] = (),
) -> list[str]:
    return [one.digest for one in judge(found, tagged, pinned, trash, NOW).goes]


def test_what_nothing_reaches_goes() -> None:
    assert goes(of(old("a"), old("b")), tagged={"b"}) == ["a"]


def test_the_children_of_a_tagged_index_stay() -> None:
    found = of(old("index", "amd", "arm"), old("amd"), old("arm"), old("apart"))
    assert goes(found, tagged={"index"}) == ["apart"]


def test_the_children_of_a_fresh_index_stay_although_no_tag_reaches_it() -> None:
    found = of(Found("index", lists=("amd",), since=NEW), old("amd"))
    assert goes(found) == []


def test_an_index_goes_before_what_it_lists_and_a_referrer_before_its_subject() -> None:
    found = of(old("a-child"), old("index", "inner"), old("inner", "a-child"), old("signature", subject="a-child"))
    order = goes(found)
    assert set(order) == set(found)
    for first, then in [("index", "inner"), ("inner", "a-child"), ("signature", "a-child")]:
        assert order.index(first) < order.index(then)


def test_a_child_that_another_index_needs_stays() -> None:
    found = of(old("one", "base"), old("two", "base"), old("base"))
    assert goes(found, tagged={"two"}) == ["one"]


def test_a_referrer_stays_with_its_subject_and_goes_with_it() -> None:
    found = of(old("image"), old("signature", subject="image"), old("of-signature", subject="signature"))
    assert goes(found, tagged={"image"}) == []
    assert goes(found) == ["of-signature", "signature", "image"]


def test_a_referrer_of_a_child_of_a_tagged_index_stays() -> None:
    found = of(old("index", "amd"), old("amd"), old("sbom", subject="amd"))
    assert goes(found, tagged={"index"}) == []


def test_a_referrer_whose_subject_is_gone_goes() -> None:
    assert goes(of(old("signature", subject="image"))) == ["signature"]


def test_a_referrer_that_stays_keeps_its_subject() -> None:
    found = of(Found("signature", subject="image", since=NEW), old("image", "child"), old("child"))
    assert goes(found) == []


def test_what_is_pinned_keeps_the_indexes_above_it_and_all_that_they_list() -> None:
    found = of(old("top", "index"), old("index", "amd", "arm"), old("amd"), old("arm"), old("apart", "other"))
    assert goes(found, pinned={"amd"}) == ["apart"]


def test_what_the_trash_would_restore_stays_with_its_parts() -> None:
    found = of(old("index", "amd"), old("amd"))
    assert goes(found, trash={"index"}) == []


def test_what_is_of_no_known_age_stays() -> None:
    assert goes(of(Found("a"))) == []


def test_what_came_just_at_the_end_of_the_grace_stays() -> None:
    assert goes(of(Found("a", since=NOW))) == []


def test_each_says_why() -> None:
    found = of(
        old("alone"), old("index", "child"), old("child"), old("sig", subject="alone"), old("late", subject="gone")
    )
    verdict = judge(found, (), (), (), NOW)
    assert {one.digest: why for one, why in reasons_to_go(verdict, found)} == {
        "alone": "no tag, index, subject, trash entry or pin reaches it",
        "index": "no tag, index, subject, trash entry or pin reaches it",
        "child": "only indexes list it that go too, as index",
        "sig": "its subject goes too: alone",
        "late": "its subject is gone: gone",
    }


def test_what_refers_in_a_circle_stays() -> None:
    found = of(old("a", "b"), old("b", "a"), old("self", "self"), old("c", subject="a"))
    verdict = judge(found, (), (), (), NOW)
    assert [one.digest for one in verdict.goes] == ["c"]
    assert verdict.stays == dict.fromkeys(["a", "b", "self"], Stay.TANGLED)


def test_in_order_leaves_out_what_something_else_refers_to() -> None:
    found = of(old("index", "child"), old("child", "below"), old("below"))
    assert in_order(found, {"child", "below"}) == ()
    assert [one.digest for one in in_order(found, {"index", "child", "absent"})] == ["index", "child"]


# -- whatever hypothesis thinks of --------------------------------------------------


class Graph(NamedTuple):
    found: dict[str, Found]
    tagged: set[str]
    pinned: set[str]
    trash: set[str]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Content names only what was there before it, since by digest; some of that is here no more."""
    count = draw(st.integers(1, 12))
    names = [f"m{number:02}" for number in range(count)]
    found: dict[str, Found] = {}
    for number, name in enumerate(names):
        earlier = st.sampled_from(names[:number]) if number else st.nothing()
        lists = draw(st.lists(earlier, max_size=4)) if number else []
        subject = draw(st.one_of(st.just(""), earlier)) if number else ""
        since = draw(st.sampled_from([OLD, OLD, OLD, NEW, None]))
        if draw(st.integers(0, 5)):
            found[name] = Found(name, lists=tuple(lists), subject=subject, since=since)
    some = st.sets(st.sampled_from(names), max_size=2)
    return Graph(found, draw(some), draw(some), draw(some))


def reached(graph: Graph) -> set[str]:
    """Said anew, and slowly: from each root along each way that keeps."""
    found = graph.found
    fresh = {name for name, one in found.items() if one.since != OLD}
    pinned = set(graph.pinned)
    for _ in found:
        pinned |= {name for name, one in found.items() if pinned & set(one.lists)}
    there = (graph.tagged | graph.trash | fresh | pinned) & set(found)
    for _ in range(2 * len(found)):
        for name in list(there):
            there |= {name for name in (*found[name].lists, found[name].subject) if name in found}
        there |= {name for name, one in found.items() if one.subject in there}
    return there


@given(graphs())
@settings(max_examples=600)
def test_nothing_reachable_ever_goes_and_all_else_does(graph: Graph) -> None:
    verdict = judge(*graph, NOW)
    gone = {one.digest for one in verdict.goes}
    assert gone == set(graph.found) - reached(graph)
    assert set(verdict.stays) == reached(graph)
    assert len(verdict.goes) == len(gone)


@given(graphs())
@settings(max_examples=600)
def test_at_no_moment_does_anything_that_is_left_lack_a_part(graph: Graph) -> None:
    left = dict(graph.found)
    for one in judge(*graph, NOW).goes:
        del left[one.digest]
        assert not any(one.digest in (*other.lists, other.subject) for other in left.values())


@given(graphs(), st.data())
@settings(max_examples=300)
def test_some_of_it_goes_in_order_too(graph: Graph, data: st.DataObject) -> None:
    """As where a piece is carried out, and some of what was planned has failed or was left alone."""
    some = data.draw(st.sets(st.sampled_from(sorted(graph.found)))) if graph.found else set()
    left = dict(graph.found)
    for one in in_order(graph.found, some):
        assert one.digest in some
        del left[one.digest]
        assert not any(one.digest in (*other.lists, other.subject) for other in left.values())
