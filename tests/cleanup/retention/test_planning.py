"""What a plan of retention says of rows as the catalog holds them: what is known of dates, pulls, and what is freed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import EventStream
from catalog.freeing import freed_by
from catalog.models import IndexEntry, Presence, Repository, Scan, Tag, TagSpan
from cleanup.models import RetentionRun, RunRepository, RunTag
from cleanup.retention.explaining import explain, try_out
from cleanup.retention.in_words import in_words
from cleanup.retention.planning import Planning, judged, needs_yes
from cleanup.retention.reading import Book
from cleanup.retention.reasons import Reason, Verdict, Why
from cleanup.retention.terms import InvalidTerms, Rule, Terms
from cleanup.retention.trust import check_catalog
from jobs.models import Job
from jobs.running import JobFailed, claim
from registries.models import Registry
from tagging.models import ProtectionRule
from tests.cleanup.retention.furniture import DAY, age, aged, policy, scanned
from tests.web import furniture as make

pytestmark = pytest.mark.django_db
ALL_GO = {"tags": ["*"]}
NEWEST = {"tags": ["*"], "newest": 1}
OLD = {"tags": ["*"], "younger_than": 30}


@pytest.fixture
def local() -> Registry:
    registry = make.registry()
    scanned(registry)
    return registry


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local)


def verdicts(repository: Repository) -> dict[str, Verdict]:
    result = judged(Book(repository.registry, timezone.now()), repository)
    assert result is not None
    assert not result.why_not
    return {verdict.tag: verdict for verdict in result.verdicts}


def doomed(repository: Repository) -> set[str]:
    return {tag for tag, verdict in verdicts(repository).items() if verdict.is_doomed}


def planned(registry: Registry, **more: Any) -> RetentionRun:
    """Without a registry that could be asked what time it is."""
    job = Job.objects.create(kind="retention", subject=registry.job_subject, title="t")
    run = RetentionRun.objects.create(registry=registry, job=job)
    lease = claim(job.pk)
    assert lease is not None
    Planning(run, lease, Book(registry, timezone.now(), **more)).write()
    run.refresh_from_db()
    return run


# -- dates ---------------------------------------------------------------------


def test_a_link_in_the_storage_folder_dates_a_tag(app: Repository) -> None:
    policy(app.registry, "all", OLD, may_empty=True)
    aged(app, 20, "new")
    aged(app, 40, "old")

    assert doomed(app) == {"old"}


def test_a_link_from_the_future_dates_nothing(app: Repository) -> None:
    policy(app.registry, "all", OLD, may_empty=True)
    aged(app, 90, "a")
    Tag.objects.update(link_ns=int((timezone.now() + DAY).timestamp()) * 10**9, moved_at=timezone.now() - DAY)

    assert verdicts(app)["a"].reason.why is Why.MAYBE_YOUNGER


def test_what_the_first_scan_found_was_pushed_before_that_and_nobody_knows_when(app: Repository) -> None:
    policy(app.registry, "all", OLD, {"tags": ["*"], "newest": 1})
    place = aged(app, 20, "a", dated_by=Presence.DatedBy.FOUND)
    Tag.objects.update(link_ns=None)
    assert verdicts(app)["a"].reasons[0] == Reason(Why.MAYBE_YOUNGER, "30", 0)

    age(place, 40)
    Tag.objects.update(link_ns=None)
    aged(app, 60, "b")
    assert verdicts(app)["a"].reasons == (Reason(Why.MAYBE_NEWEST, "1", 1),)
    assert verdicts(app)["b"].reasons == (Reason(Why.MAYBE_NEWEST, "1", 1),)


def test_between_two_scans_a_tag_is_newer_than_what_was_there_before(app: Repository) -> None:
    policy(app.registry, "all", NEWEST)
    now = timezone.now()
    scanned(app.registry, started_at=now - 5 * DAY, finished_at=now - 5 * DAY)
    for days, tag in ((9, "before"), (4, "after")):
        age(aged(app, days, tag), days)
    Tag.objects.update(link_ns=None)

    assert doomed(app) == {"before"}


def test_a_scan_that_could_not_read_a_repository_orders_nothing_where_events_flow(app: Repository) -> None:
    policy(app.registry, "all", NEWEST)
    now = timezone.now()
    scanned(app.registry, started_at=now - 5 * DAY, finished_at=now - 5 * DAY, failed_repositories=1)
    for days, tag in ((9, "before"), (4, "after")):
        age(aged(app, days, tag), days)
    Tag.objects.update(link_ns=None)
    tells(app.registry, since=100)

    assert doomed(app) == set()


def test_an_event_dates_what_was_seen_right_after_it(app: Repository) -> None:
    policy(app.registry, "all", NEWEST)
    for days, tag in ((3, "old"), (2, "new")):
        place = aged(app, days, tag, dated_by=Presence.DatedBy.TOLD)
        Presence.objects.filter(pk=place.pk).update(dated=timezone.now() - days * DAY)
    Tag.objects.update(link_ns=None)

    assert doomed(app) == {"old"}


def test_a_tag_that_could_not_be_read_for_long_is_as_old_as_what_it_points_to_now(app: Repository) -> None:
    policy(app.registry, "all", OLD, may_empty=True)
    place = aged(app, 90, "a")
    Tag.objects.update(link_ns=None)
    assert doomed(app) == {"a"}

    tag, now = Tag.objects.get(), timezone.now()
    TagSpan.objects.create(tag=tag, repository=app, manifest=place.manifest, began=now - 3 * DAY)
    assert doomed(app) == set()


def test_a_push_that_was_told_later_makes_a_tag_younger(app: Repository) -> None:
    policy(app.registry, "all", OLD, may_empty=True)
    place = aged(app, 90, "a", dated_by=Presence.DatedBy.TOLD)
    Presence.objects.filter(pk=place.pk).update(dated=timezone.now() - 3 * DAY)

    assert doomed(app) == set()


def test_when_an_image_was_made_counts_only_where_that_is_asked_for(app: Repository) -> None:
    row = policy(app.registry, "all", OLD, may_empty=True)
    place = aged(app, 90, "a")
    Tag.objects.update(link_ns=None, moved_at=timezone.now() - DAY)
    place.manifest.created = timezone.now() - 90 * DAY
    place.manifest.save()
    assert doomed(app) == set()

    row.terms["uses_created"] = True
    row.save()
    assert doomed(app) == {"a"}


# -- pulls ---------------------------------------------------------------------


def tells(registry: Registry, *, since: float, last: float = 0.1) -> EventStream:
    now = timezone.now()
    return EventStream.objects.create(
        registry_id=registry.pk, first_at=now - since * DAY, last_at=now - last * DAY, handled_at=now - last * DAY
    )


PULLED = {"tags": ["*"], "pulled_within": 30}


def test_without_events_for_as_long_nobody_knows_of_pulls(app: Repository) -> None:
    policy(app.registry, "all", PULLED, may_empty=True)
    aged(app, 90, "a")
    assert verdicts(app)["a"].reason.why is Why.MAYBE_PULLED

    stream = tells(app.registry, since=20)
    assert verdicts(app)["a"].reason.why is Why.MAYBE_PULLED
    EventStream.objects.update(first_at=timezone.now() - 40 * DAY)
    assert doomed(app) == {"a"}
    stream.last_at = timezone.now() - 2 * DAY
    stream.save()
    assert verdicts(app)["a"].reason.why is Why.MAYBE_PULLED


def test_what_a_scan_found_that_no_event_told_makes_pulls_doubtful(app: Repository) -> None:
    policy(app.registry, "all", PULLED, may_empty=True)
    aged(app, 90, "a")
    tells(app.registry, since=40)
    assert doomed(app) == {"a"}

    Scan.objects.update(new_tags=1)
    assert doomed(app) == set()


def indexed(app: Repository) -> tuple[Presence, Presence]:
    """An index with the tag `multi`, and its child without one."""
    child = make.image([("child", 5)])
    row = make.index([("linux/amd64", child)])
    index, below = make.put(app, row, "multi"), make.put(app, child)
    age(index, 90)
    return index, below


def test_a_pull_of_a_child_counts_for_the_index(app: Repository) -> None:
    """Pain P20."""
    policy(app.registry, "all", PULLED, may_empty=True)
    tells(app.registry, since=40)
    _, child = indexed(app)
    assert doomed(app) == {"multi"}

    Presence.objects.filter(pk=child.pk).update(pulled=timezone.now() - DAY)
    assert doomed(app) == set()
    Presence.objects.filter(pk=child.pk).update(pulled=timezone.now() - 31 * DAY)
    assert doomed(app) == {"multi"}


# -- what is always kept -------------------------------------------------------


def test_protected_unreadable_and_busy_tags_stay(app: Repository) -> None:
    policy(app.registry, "all", ALL_GO, may_empty=True)
    for tag in ("protected", "broken", "busy", "goes"):
        aged(app, 90, tag)
    ProtectionRule.objects.create(registry=app.registry, tags="prot*")
    Tag.objects.filter(name="broken").update(problem="the manifest is missing")
    Tag.objects.filter(name="busy").update(acted_at=timezone.now() - timedelta(minutes=5))
    make.lose_tag(app, "never-read", "it answers 500")

    found = verdicts(app)

    assert {tag: verdict.reason.why for tag, verdict in found.items()} == {
        "protected": Why.PROTECTED,
        "broken": Why.UNREADABLE,
        "busy": Why.BUSY,
        "goes": Why.RULE,
        "never-read": Why.UNREADABLE,
    }
    assert in_words(found["protected"].reason, ()) == "it is protected by the rule *:prot*"


def test_a_signature_goes_with_its_image_and_that_of_a_child_with_the_index(app: Repository) -> None:
    policy(app.registry, "all", {"tags": ["*"], "newest": 1})
    index, child = indexed(app)
    aged(app, 1, "new")
    for digest in (index.manifest.digest, child.manifest.digest):
        aged(app, 1, digest.replace(":", "-") + ".sig")

    assert len(doomed(app)) == 3
    IndexEntry.objects.all().delete()
    signature = child.manifest.digest.replace(":", "-") + ".sig"
    assert verdicts(app)[signature].reason.why is Why.ALONE


@pytest.mark.parametrize("is_of_child", [False, True])
def test_a_signature_whose_image_went_by_an_earlier_run_goes_too(app: Repository, *, is_of_child: bool) -> None:
    row = policy(app.registry, "all", {"tags": ["x"]})
    aged(app, 1, "new")
    index, child = indexed(app)
    for one in (index, child):  # as they are when the last tag has gone
        Tag.objects.filter(presence=one).update(gone_at=timezone.now())
        Presence.objects.filter(pk=one.pk).update(gone_at=timezone.now(), tag_count=0)
    gone, signed = index.manifest.digest, (child if is_of_child else index).manifest.digest
    aged(app, 9, signed.replace(":", "-") + ".sig")
    assert doomed(app) == set()

    run = RetentionRun.objects.create(registry=app.registry)
    place = RunRepository.objects.create(run=run, repository=app, name=app.name, policy=row.name)
    RunTag.objects.create(run=run, place=place, tag="x", digest=gone, state=RunTag.State.DONE)
    assert len(doomed(app)) == 1


# -- which policy decides ------------------------------------------------------


def test_the_first_policy_that_fits_decides_and_the_others_never_see_it(local: Registry) -> None:
    first = policy(local, "first", OLD, repositories=["team/*", "!team/prod"], position=1)
    policy(local, "off", ALL_GO, position=2, is_on=False)
    last = policy(local, "last", ALL_GO, position=3)
    book = Book(local, timezone.now())

    decided = {name: book.decides(name) for name in ("team/app", "team/prod", "other")}
    assert {name: one and one.policy.name for name, one in decided.items()} == {
        "team/app": "first",
        "team/prod": "last",
        "other": "last",
    }
    only = Book(local, timezone.now(), [last.pk])
    assert only.decides("team/app") is None
    assert only.decides("other") is not None
    assert first.position == 1


def test_a_policy_that_cannot_be_read_stops_all_of_them(local: Registry) -> None:
    policy(local, "odd", {"tags": ["*"], "keep": 1})
    policy(local, "good", OLD, position=2)

    with pytest.raises(InvalidTerms, match=r"odd, rules\[0\].keep"):
        Book(local, timezone.now())


# -- the plan ------------------------------------------------------------------


def test_the_plan_holds_what_goes_as_rows_and_what_stays_by_its_reason(app: Repository) -> None:
    policy(app.registry, "all", {"tags": ["1.*"], "newest": 1})
    for days, tag in ((1, "1.1"), (2, "1.0"), (3, "main")):
        aged(app, days, tag)

    run = planned(app.registry)

    assert (run.state, run.repositories, run.kept, run.doomed) == (RetentionRun.State.PLANNED, 1, 2, 1)
    row = run.tags.get()
    assert (row.tag, row.rule, row.state) == ("1.0", 0, RunTag.State.PLANNED)
    assert run.places.get().reasons == [
        {"why": "newest", "detail": "1", "rule": 0, "tags": ["1.1"]},
        {"why": "unspoken", "detail": "", "rule": -1, "tags": ["main"]},
    ]


def test_planning_anew_leaves_nothing_of_a_plan_that_was_broken_off(app: Repository) -> None:
    row = policy(app.registry, "all", ALL_GO, may_empty=True)
    aged(app, 1, "a")
    run = RetentionRun.objects.create(registry=app.registry)
    place = RunRepository.objects.create(run=run, repository=app, name="gone", policy=row.name)
    RunTag.objects.create(run=run, place=place, tag="gone", digest="x")
    job = Job.objects.create(kind="retention", subject=app.registry.job_subject, title="t")
    lease = claim(job.pk)
    assert lease is not None

    Planning(run, lease, Book(app.registry, timezone.now())).write()

    assert [tag.tag for tag in run.tags.all()] == ["a"]


def test_blobs_are_freed_once_and_only_where_nothing_else_uses_them(local: Registry) -> None:
    policy(local, "all", {"tags": ["*", "!keep"]}, may_empty=True)
    one, two, three = (make.repository(local, name) for name in ("a/one", "b/two", "c/three"))
    aged(one, 9, "a", layers=[("own", 100), ("both", 10), ("kept", 1)])
    aged(two, 9, "a", layers=[("both", 10), ("others", 1_000)])
    aged(two, 9, "keep", layers=[("kept", 1)])
    aged(three, 9, "keep", layers=[("others", 1_000)])
    other = make.repository(make.registry("elsewhere"), "a/one")
    aged(other, 9, "keep", layers=[("own", 100)])

    run = planned(local)

    configs = run.frees - 110
    assert 0 <= configs < 100  # the config is shared by all
    assert run.frees_is_exact
    frees = dict(run.places.values_list("name", "frees"))
    assert frees["b/two"] == 0
    assert frees["a/one"] == 100


def test_what_a_plan_frees_is_what_tagging_says_of_one_repository(app: Repository) -> None:
    policy(app.registry, "all", ALL_GO, may_empty=True)
    index, _ = indexed(app)
    alone = aged(app, 9, "a", "b", layers=[("x", 7)])

    run = planned(app.registry)

    assert run.frees == freed_by(app, {index.pk: 1, alone.pk: 2}, ()).size > 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": "failed", "problem": "it answers 500."}, "its last scan could not read it: it answers 500"),
        ({"scanned_at": None}, "no scan has read it to its end yet"),
        ({"is_settled": False}, "a scan has written in it and not come to its end since"),
        ({"missed": 1}, "the registry did not list it lately"),
    ],
)
def test_a_repository_that_was_not_read_whole_is_left_out(app: Repository, change: dict[str, Any], why: str) -> None:
    policy(app.registry, "all", ALL_GO)
    aged(app, 9, "a")
    Repository.objects.update(**change)

    run = planned(app.registry)

    assert (run.left_out, run.doomed, run.repositories) == (1, 0, 0)
    assert (run.places.get().state, run.places.get().note) == ("left-out", why)


@pytest.mark.parametrize(
    ("days", "why"), [(2.1, "more than 48 hours ago"), (-1, "a clock was put back"), (None, "no complete scan")]
)
def test_without_a_scan_that_is_fresh_nothing_is_planned(days: float | None, why: str) -> None:
    registry = make.registry()
    if days is not None:
        scanned(registry, finished_at=timezone.now() - days * DAY)

    with pytest.raises(JobFailed, match=why):
        check_catalog(registry, timezone.now())


def test_a_retired_registry_is_left_alone(local: Registry) -> None:
    check_catalog(local, timezone.now())
    Registry.objects.update(retired_at=timezone.now())

    with pytest.raises(JobFailed, match="removed"):
        check_catalog(local, timezone.now())


@pytest.mark.parametrize(
    ("goes", "stays", "asks"),
    [(0, 5, False), (1, 1, False), (1, 0, True), (2, 8, False), (2, 7, True), (3, 12, False), (20, 79, True)],
)
def test_so_much_takes_a_yes(goes: int, stays: int, asks: bool) -> None:
    tags = [Verdict(f"g{n}", "d", (Reason(Why.RULE, rule=0),)) for n in range(goes)]
    tags += [Verdict(f"s{n}", "d", (Reason(Why.UNSPOKEN),)) for n in range(stays)]

    assert needs_yes(tags) is asks


# -- one tag -------------------------------------------------------------------


def test_a_tag_is_explained_by_its_policy_or_by_terms_that_nobody_kept(app: Repository) -> None:
    assert explain(app, "1.1") is None
    policy(app.registry, "all", {"tags": ["1.*"], "newest": 1}, {"tags": ["*"], "younger_than": 30})
    for days, tag in ((1, "1.1"), (40, "1.0")):
        aged(app, days, tag)

    stays, goes = explain(app, "1.1"), explain(app, "1.0")
    assert stays is not None
    assert (stays.policy, stays.sentences) == ("all", ("among the newest 1 of 1.*", "pushed within 30 days"))
    assert goes is not None
    assert goes.sentences == ("no condition of the rule on 1.* keeps it",)
    terms = Terms(("*",), (Rule(("1.0",)),))
    other = explain(app, "1.0", terms)
    assert other is not None
    assert (other.policy, other.sentences) == ("", ("the rule on 1.0 keeps none",))
    assert explain(app, "none", terms) is None
    trial = try_out(app, terms)
    assert ([v.tag for v in trial.kept], [v.tag for v in trial.doomed], trial.needs_yes) == (["1.1"], ["1.0"], False)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            Reason(Why.NEWEST_VERSION, "1.4 alpine", 0),
            "among the newest 3 versions of 1.4 alpine, by the rule on a, b, c, …",
        ),
        (Reason(Why.NEWEST_VERSION, "", 0), "among the newest 3 versions of a, b, c, …"),
        (Reason(Why.NEWEST_VERSION, "1.4", 7), "among the newest versions"),
        (Reason(Why.YOUNGER, "30", 0), "pushed within 30 days"),
        (Reason(Why.RULE, "", 1), "the rule on pr-* keeps none"),
        (Reason(Why.RULE, "", 2), "by a rule that has changed since"),
        (Reason(Why.PINNED, "in use, says k8s"), "in use, says k8s"),
    ],
)
def test_reasons_are_sentences(reason: Reason, said: str) -> None:
    assert in_words(reason, (Rule(("a", "b", "c", "d"), newest_versions=3), Rule(("pr-*",)))) == said
