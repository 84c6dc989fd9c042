"""Which tags rules keep and doom: tables of examples, and what holds whatever the rules are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanup.retention.judging import Candidate, Known, Pushed, judge
from cleanup.retention.reasons import Reason, Verdict, Why
from cleanup.retention.terms import Aliases, Line, Rule, Terms

pytestmark = pytest.mark.any_database
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KNOWN = Known(NOW, pulls_since=NOW - timedelta(days=400))
ALWAYS = Terms(("*",), may_empty=True)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def tag(name: str, days: float | None = None, digest: str = "", **more: object) -> Candidate:
    """Pushed exactly so long ago; None: nobody knows when."""
    pushed = Pushed() if days is None else Pushed(ago(days), ago(days))
    return Candidate(name, digest or f"digest of {name}", pushed)._replace(**more)  # type: ignore[arg-type]


def by_tag(terms: Terms, *tags: Candidate, known: Known = KNOWN) -> dict[str, Verdict]:
    return {verdict.tag: verdict for verdict in judge(terms, tags, known)}


def doomed(terms: Terms, *tags: Candidate, known: Known = KNOWN) -> set[str]:
    return {verdict.tag for verdict in judge(terms, tags, known) if verdict.is_doomed}


def of(*rules: Rule, aliases: Aliases = Aliases.KEPT, may_empty: bool = True) -> Terms:
    return replace(ALWAYS, rules=rules, aliases=aliases, may_empty=may_empty)


FIVE = (tag("a", 1), tag("b", 2), tag("c", 3), tag("d", 40), tag("e", 50))
EXAMPLES = [
    pytest.param((), FIVE, "", id="without a rule nothing goes"),
    pytest.param((Rule(("x*",)),), FIVE, "", id="what no rule speaks of stays"),
    pytest.param((Rule(("a", "b")),), FIVE, "a b", id="a rule that keeps nothing"),
    pytest.param((Rule(("*", "!a")),), FIVE, "b c d e", id="but for what it excludes"),
    pytest.param((Rule(("!a",)),), FIVE, "b c d e", id="excluding alone chooses the others"),
    pytest.param((Rule(("*",), newest=2),), FIVE, "c d e", id="the newest"),
    pytest.param((Rule(("*",), newest=9),), FIVE, "", id="more than there are"),
    pytest.param((Rule(("*",), younger_than=30),), FIVE, "d e", id="by age"),
    pytest.param((Rule(("*",), newest=1, younger_than=2.5),), FIVE, "c d e", id="conditions are a union"),  # type: ignore[arg-type]
    pytest.param((Rule(("*",), newest=1), Rule(("e",), newest=1)), FIVE, "b c d", id="rules are a union"),
    pytest.param((Rule(("*",), pulled_within=7),), (tag("a", 90, pulled=ago(3)), tag("b", 90)), "b", id="by pull"),
    pytest.param((Rule(("1.*",), newest_versions=1),), (tag("1.2", 9), tag("1.10", 9)), "1.2", id="by version"),
    pytest.param((Rule(("1.4",)),), (tag("1.4"), tag("1.42"), tag("11.4")), "1.4", id="a pattern fits the whole tag"),
    pytest.param((Rule(("PR-*",)),), (tag("pr-1"), tag("PR-2")), "PR-2", id="capitals count"),
]


@pytest.mark.parametrize(("rules", "tags", "goes"), EXAMPLES)
def test_examples(rules: tuple[Rule, ...], tags: tuple[Candidate, ...], goes: str) -> None:
    assert doomed(of(*rules), *tags) == set(goes.split())


def test_whatever_is_not_known_keeps() -> None:
    rules = of(Rule(("*",), younger_than=30))

    assert doomed(rules, tag("never")) == set()
    assert doomed(rules, tag("seen", pushed=Pushed(None, ago(40)))) == {"seen"}
    found = by_tag(rules, tag("lately", pushed=Pushed(ago(40), ago(20))), tag("now", 1))
    assert [found[name].reason for name in ("lately", "now")] == [
        Reason(Why.MAYBE_YOUNGER, "30", 0),
        Reason(Why.YOUNGER, "30", 0),
    ]


def test_a_tag_is_behind_the_newest_only_where_so_many_are_certainly_newer() -> None:
    between = tag("between", pushed=Pushed(ago(10), ago(4)))
    found = by_tag(of(Rule(("*",), newest=2)), tag("a", 3), tag("b", 5), between, tag("c", 8), tag("d", 20))

    assert {name for name, verdict in found.items() if verdict.is_doomed} == {"c", "d"}
    assert found["a"].reason.why is Why.NEWEST
    assert found["b"].reason.why is Why.MAYBE_NEWEST
    assert found["between"].reason == Reason(Why.MAYBE_NEWEST, "2", 0)


def test_a_rule_does_not_count_what_cannot_be_read_or_is_being_written() -> None:
    broken = Candidate("broken", "", Pushed(ago(1), ago(1)))
    found = by_tag(of(Rule(("*",), newest=1)), broken, tag("busy", 2, is_busy=True), tag("a", 3), tag("b", 4))

    assert [found[name].reasons for name in ("broken", "busy")] == [(Reason(Why.UNREADABLE),), (Reason(Why.BUSY),)]
    assert (found["a"].is_doomed, found["b"].is_doomed) == (False, True)


def test_pulls_keep_all_while_the_registry_has_not_told_of_them_for_as_long() -> None:
    rules = of(Rule(("*",), pulled_within=30))
    fresh, silent = replace(KNOWN, pulls_since=ago(29)), replace(KNOWN, pulls_since=None)

    assert doomed(rules, tag("a", 90), known=fresh) == set()
    assert by_tag(rules, tag("a", 90), known=silent)["a"].reason == Reason(Why.MAYBE_PULLED, "30", 0)
    assert doomed(rules, tag("a", 90)) == {"a"}


ALIASES = (tag("1.4.2", 1, "new"), tag("1.4", 1, "new"), tag("latest", 1, "new"), tag("1.4.1", 9, "old"))


def test_aliases_of_a_kept_tag_stay_and_images_are_counted() -> None:
    """Pains U17, P24 and B3: four tags, of which three are one image, and two of the newest are to stay."""
    found = by_tag(of(Rule(("*",), newest=2)), *ALIASES)
    assert not any(verdict.is_doomed for verdict in found.values())

    found = by_tag(of(Rule(("1.4",)), Rule(("1.4.1",))), *ALIASES)
    assert found["1.4"].reasons == (Reason(Why.ALIAS, "1.4.2"),)
    assert found["1.4.1"].is_doomed


def test_where_each_alias_is_judged_for_itself_tags_are_counted() -> None:
    tags = (tag("a", 1, "new"), tag("b", 2, "new"), tag("c", 3, "new"), tag("d", 4, "old"))

    assert doomed(of(Rule(("*",), newest=2), aliases=Aliases.JUDGED), *tags) == {"c", "d"}
    assert doomed(of(Rule(("*",), newest=2)), *tags) == set()


SIGNED = (tag("1.0", 9, "one"), tag("1.1", 1, "two", holds=("child",)))


def attached(name: str, subject: str) -> Candidate:
    return tag(name, 9, subject=subject)


def test_what_is_attached_goes_with_its_image_and_stays_with_it() -> None:
    signatures = (attached("s1", "one"), attached("s2", "two"), attached("s3", "child"), attached("s4", "s1's"))
    signatures = (signatures[0]._replace(digest="s1's"), *signatures[1:])
    found = by_tag(of(Rule(("*",), newest=1)), *SIGNED, *signatures)

    assert {name for name, verdict in found.items() if verdict.is_doomed} == {"1.0", "s1", "s4"}
    assert found["s1"].reason == Reason(Why.FOLLOWS, "one")
    assert found["s3"].reason == Reason(Why.ATTACHED, "child")


def test_what_is_attached_to_something_that_no_tag_reaches_stays_unless_retention_untagged_it() -> None:
    alone, rules = attached("s", "elsewhere"), of(Rule(("*",), newest=1))

    assert by_tag(rules, *SIGNED, alone)["s"].reason == Reason(Why.ALONE, "elsewhere")
    assert by_tag(rules, *SIGNED, alone, known=replace(KNOWN, went=frozenset({"elsewhere"})))["s"].is_doomed


def test_the_last_image_stays_unless_a_repository_may_be_emptied() -> None:
    tags = (tag("a", 3), tag("b", 1), tag("b2", 2, "digest of b"), attached("s", "digest of b"))
    found = by_tag(of(Rule(("*",)), may_empty=False), *tags)

    assert {name: verdict.reason.why for name, verdict in found.items()} == {
        "a": Why.RULE,
        "b": Why.LAST,
        "b2": Why.ALIAS,
        "s": Why.ATTACHED,
    }
    assert len(doomed(of(Rule(("*",))), *tags)) == 4


def test_all_that_keeps_a_tag_is_said() -> None:
    rules = of(Rule(("*",), newest=1), Rule(("1.*",), newest_versions=1, line=Line.MINOR), Rule(("x",)))
    found = by_tag(rules, tag("1.2.3", 1, protected="by a rule", pinned="in use"), tag("x", 7))

    assert found["1.2.3"].reasons == (
        Reason(Why.PROTECTED, "by a rule"),
        Reason(Why.PINNED, "in use"),
        Reason(Why.NEWEST, "1", 0),
        Reason(Why.NEWEST_VERSION, "1.2", 1),
    )
    assert found["x"].reasons == (Reason(Why.RULE, rule=0),)


# -- whatever the rules are -----------------------------------------------------

_names = st.sampled_from(["1.0", "1.0.1", "1.1.0-rc1", "1.1", "v2", "latest", "main", "pr-1", "pr-2", "a", "b-alpine"])
_digests = st.sampled_from(["one", "two", "three", "four", ""])
_days = st.one_of(st.none(), st.integers(0, 100))


@st.composite
def _pushed(draw: st.DrawFn) -> Pushed:
    first, last = draw(_days), draw(_days)
    if first is not None and last is not None and first < last:
        first, last = last, first
    return Pushed(None if first is None else ago(first), None if last is None else ago(last))


_candidates = st.builds(
    Candidate,
    name=_names,
    digest=_digests,
    pushed=_pushed(),
    pulled=st.one_of(st.none(), st.integers(0, 100).map(ago)),
    subject=st.one_of(st.just(""), st.just(""), st.sampled_from(["one", "two", "child", "elsewhere"])),
    holds=st.sampled_from([(), (), ("child",), ("two",)]),
    protected=st.sampled_from(["", "", "yes"]),
    pinned=st.sampled_from(["", "", "yes"]),
    is_busy=st.sampled_from([False, False, True]),
)
_tags = st.lists(_candidates, max_size=8, unique_by=lambda tag: tag.name)
_patterns = st.lists(st.sampled_from(["*", "1.*", "pr-*", "!1.0", "!*", "latest"]), min_size=1, max_size=3).map(tuple)
_some = st.one_of(st.none(), st.integers(1, 3))
_rules = st.builds(
    Rule,
    tags=_patterns,
    newest=_some,
    newest_versions=_some,
    line=st.sampled_from(Line),
    younger_than=st.one_of(st.none(), st.integers(1, 60)),
    pulled_within=st.one_of(st.none(), st.integers(1, 60)),
)
_terms = st.builds(
    Terms,
    repositories=st.just(("*",)),
    rules=st.lists(_rules, max_size=3).map(tuple),
    aliases=st.sampled_from(Aliases),
    may_empty=st.booleans(),
)
_known = st.builds(Known, now=st.just(NOW), pulls_since=st.one_of(st.none(), st.integers(0, 100).map(ago)))


@given(_terms, _tags, _known)
def test_nothing_that_must_stay_is_ever_doomed(terms: Terms, tags: list[Candidate], known: Known) -> None:
    goes = doomed(terms, *tags, known=known)
    stays = [tag for tag in tags if tag.name not in goes]
    reached = {digest for tag in stays for digest in (tag.digest, *tag.holds)} - {""}

    for tag in tags:
        if tag.protected or tag.pinned or tag.is_busy or not tag.digest or tag.subject in reached:
            assert tag.name not in goes
        if terms.aliases is Aliases.KEPT and tag.digest in {other.digest for other in stays}:
            assert tag.name not in goes
    images = [tag for tag in tags if tag.digest and not tag.subject]
    if images and not terms.may_empty:
        assert any(tag in stays for tag in images)


@given(_terms, _tags, _known, st.randoms(use_true_random=False))
def test_the_order_of_tags_does_not_matter(terms: Terms, tags: list[Candidate], known: Known, random: object) -> None:
    shuffled = list(tags)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert by_tag(terms, *tags, known=known) == by_tag(terms, *shuffled, known=known)


@given(_terms, _rules, _tags, _known)
def test_another_rule_dooms_nothing_that_a_rule_spoke_of_already(
    terms: Terms, rule: Rule, tags: list[Candidate], known: Known
) -> None:
    """Where each tag is judged for itself, and nothing is kept for being the last."""
    terms = replace(terms, aliases=Aliases.JUDGED, may_empty=True)
    people = [tag for tag in tags if not tag.subject]
    before = by_tag(terms, *people, known=known)
    after = by_tag(replace(terms, rules=(*terms.rules, rule)), *people, known=known)

    for name, verdict in before.items():
        if not verdict.is_doomed and verdict.reason.why is not Why.UNSPOKEN:
            assert not after[name].is_doomed


@given(_tags, _known)
def test_time_dooms_nothing_whose_time_is_not_known(tags: list[Candidate], known: Known) -> None:
    unknown = [tag._replace(pushed=Pushed(tag.pushed.earliest, None)) for tag in tags if not tag.subject]

    assert doomed(of(Rule(("*",), younger_than=1)), *unknown, known=known) == set()
    assert doomed(of(Rule(("*",), newest=1)), *unknown, known=known) == set()
