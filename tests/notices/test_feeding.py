"""What becomes a notice, for whom, and that nothing is missed or queued twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import Entry
from jobs.models import Job
from notices import feeding, pruning
from notices.kinds import OF_AN_ACT, Kind
from notices.models import Mark, Notice
from tests.notices import furniture as make
from tests.web import furniture as rows

pytestmark = pytest.mark.django_db
ACT = Entry.Act


def feed(minutes: float = 0) -> int:
    return feeding.feed(timezone.now() + timedelta(minutes=minutes))


def sources() -> set[str]:
    return set(Notice.objects.values_list("source", flat=True))


@pytest.mark.parametrize("act", OF_AN_ACT)
def test_each_act_is_told_to_who_wants_its_kind(act: str) -> None:
    kind, event_type = OF_AN_ACT[act]
    others = [other.value for other in Kind if other != kind]
    to = make.recipient(wishes=[kind.value])
    make.recipient(wishes=others)
    found = make.entry(ACT(act), digest_before="sha256:a", actor="ana")

    assert feed() == 1

    (queued,) = Notice.objects.all()
    assert (queued.subscription, queued.source, queued.event_type) == (to, f"entry-{found.pk}", event_type)
    assert queued.subject == "local/team/app:1.0"
    assert queued.data["actor"] == "ana"
    assert queued.data["url"].endswith("/activity?registry=local&repository=team%2Fapp&tag=1.0")
    assert "digest_after" not in queued.data


def test_what_has_no_tag_is_named_by_its_digest() -> None:
    make.recipient()
    make.entry(ACT.PUSH, tag="", digest_after="sha256:a")
    make.entry(ACT.DELETE_MANIFEST, tag="", digest_before="sha256:b")
    feed()

    subjects = [notice.subject for notice in Notice.objects.order_by("pk")]
    assert subjects == ["local/team/app@sha256:a", "local/team/app@sha256:b"]


@pytest.mark.parametrize("act", sorted(set(ACT.values) - set(OF_AN_ACT)))
def test_other_acts_are_told_to_nobody(act: str) -> None:
    make.recipient()
    make.entry(ACT(act))

    assert feed() == 0


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_what_was_not_done_is_not_told(outcome: str) -> None:
    make.recipient()
    make.entry(outcome=outcome)

    assert feed() == 0


def test_a_second_look_finds_nothing() -> None:
    make.recipient()
    make.entry()

    assert [feed(), feed(), feed(3), feed(6)] == [1, 0, 0, 0]


def test_what_was_before_a_recipient_is_not_told_to_it() -> None:
    old = make.recipient()
    before = make.entry()
    new = make.recipient(after_entry=before.pk)
    after = make.entry()

    feed()

    assert set(old.notices.values_list("source", flat=True)) == {f"entry-{before.pk}", f"entry-{after.pk}"}
    assert set(new.notices.values_list("source", flat=True)) == {f"entry-{after.pk}"}


def test_one_that_is_off_is_not_told() -> None:
    make.recipient(enabled=False)
    make.entry()

    assert feed() == 0


def test_an_id_that_becomes_visible_late_is_told() -> None:
    """As a transaction that took an id and committed after one that took a higher one."""
    make.recipient()
    first = make.entry()
    feed()
    for ahead in range(1, 4):
        make.entry(pk=first.pk + 10 * ahead)
        assert feed() == 1

    make.entry(pk=first.pk + 5)
    make.entry(pk=first.pk + 15)

    assert feed() == 2
    assert {f"entry-{first.pk + 5}", f"entry-{first.pk + 15}"} <= sources()


def test_the_floor_follows() -> None:
    make.recipient()
    top = make.entry().pk
    feed()
    Entry.objects.bulk_create(
        Entry(key=f"k{n}", act=ACT.PULL, outcome="done", repository="team/app") for n in range(1_200)
    )

    for minutes in (0, 3, 6, 9):
        feed(minutes)

    mark = Mark.objects.get()
    assert mark.floor == mark.top >= top + 1_200
    assert mark.seen == 0
    make.entry()
    assert [feed(12), feed(15), feed(18), feed(21)] == [1, 0, 0, 0]


def test_what_is_looked_at_again_is_still_known() -> None:
    """Nothing that the log has forgotten is queued a second time, not even where Berth had been off for long."""
    to = make.recipient()
    make.entry()
    feed()
    to.notices.update(state=Notice.State.DELIVERED, created_at=timezone.now() - timedelta(seconds=1))

    pruning.prune(timezone.now() + timedelta(days=30))
    make.entry()

    assert feed(30 * 24 * 60) == 1
    assert to.notices.count() == 2


def test_as_many_as_there_are_are_told_in_their_order() -> None:
    to = make.recipient()
    Entry.objects.bulk_create(
        Entry(key=f"k{n}", act=ACT.PUSH, outcome="done", repository="team/app", tag=f"t{n}") for n in range(450)
    )

    assert feed() == 450

    assert [told.data["tag"] for told in to.notices.order_by("pk")] == [f"t{n}" for n in range(450)]


def test_a_look_where_nothing_is_new_is_cheap(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make.recipient()
    make.entry()
    feed()

    with django_assert_num_queries(4):  # the mark, who wants what, the audit, the jobs
        feed()


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"repositories": "team/*"}, True),
        ({"repositories": "team/app"}, True),
        ({"repositories": "*/other"}, False),
        ({"here": True}, True),
        ({"here": False}, False),
    ],
)
def test_a_recipient_may_want_only_some_repositories(fields: dict[str, Any], is_told: bool) -> None:
    here, there = rows.registry("local"), rows.registry("other")
    if "here" in fields:
        fields = {"registry": here if fields["here"] else there}
    make.recipient(**fields)
    make.entry(registry_id=here.pk)

    assert feed() == is_told


def test_a_job_that_failed_is_told_with_its_registry() -> None:
    here, there = rows.registry("local"), rows.registry("other")
    make.recipient(registry=here)
    make.recipient(registry=there)
    make.recipient(repositories="only/this")
    failed = rows.job(here, Job.State.FAILED)
    Job.objects.filter(pk=failed.pk).update(message="It broke.", finished_at=timezone.now())
    rows.job(there, Job.State.DONE, kind="other")

    assert [feed(), feed()] == [2, 0]

    queued = Notice.objects.all()[0]
    assert (queued.source, queued.event_type) == (f"job-{failed.pk}", "io.berth.job.failed")
    assert (queued.data["message"], queued.data["registry"]) == ("It broke.", "local")
    assert queued.data["url"].endswith(f"/jobs/{failed.pk}")


def test_a_job_that_failed_before_is_not_told() -> None:
    here = rows.registry("local")
    failed = rows.job(here, Job.State.FAILED)
    Job.objects.filter(pk=failed.pk).update(finished_at=timezone.now() - timedelta(minutes=1))
    make.recipient()

    assert feed() == 0
