"""Which broken images raise the alarm: those that nobody knew of before the last sweep, and each of them once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audit.models import Entry
from cleanup.halting import halted, lift
from cleanup.models import Check
from cleanup.verifying import services
from cleanup.verifying.terms import Terms
from jobs.models import Job
from tagging.permission import NotPermitted
from tests.cleanup.checking import REPOSITORY, Checking
from tests.real_registry import RealRegistry
from tests.web import furniture as make

pytestmark = pytest.mark.any_database
State = Check.State


@pytest.fixture
def registry(tmp_path: Path, transactional_db: None) -> Iterator[Checking]:
    """One with an index that lacks a child."""
    with RealRegistry(tmp_path) as real:
        checking = Checking(real, by_folder=True)
        child = checking.push.image(seed="child")
        checking.push.index("1.0", children=[child, checking.push.image(seed="other")])
        checking.stored.revision_link(REPOSITORY, child).unlink()
        yield checking


def sweep(of: Checking, kind: str = "sweep") -> Job:
    now = timezone.now()
    ended = {"state": Job.State.DONE, "started_at": now, "finished_at": now}
    return Job.objects.create(kind=kind, subject=of.row.job_subject, title="Sweep", **ended)


def alarms() -> int:
    return Entry.objects.filter(act=Entry.Act.HALT).count()


def test_what_a_scan_knew_before_the_sweep_is_no_news(registry: Checking) -> None:
    registry.scan()
    sweep(registry)

    check = registry.check()

    assert (check.broken, check.new) == (1, 0)
    assert halted(registry.row) is None


def test_what_no_sweep_ever_was_there_to_break_and_a_scan_knew_is_no_news(registry: Checking) -> None:
    registry.scan()
    assert registry.check().new == 0


@pytest.mark.parametrize("kind", ["sweep", "garbage-collect", "untagged"])
def test_what_a_scan_found_after_the_sweep_may_be_its_work(registry: Checking, kind: str) -> None:
    sweep(registry, kind)
    registry.scan()

    assert registry.check().new == 1
    assert halted(registry.row) is not None


def test_what_nobody_knew_raises_the_alarm_once(registry: Checking) -> None:
    assert registry.check().new == 1
    halt = halted(registry.row)
    assert halt is not None
    assert alarms() == 1

    assert registry.check().new == 0
    assert alarms() == 1

    lift(halt, make.person("mara", staff=True))
    sweep(registry)
    assert registry.check().new == 0
    assert halted(registry.row) is None


def test_what_was_mended_and_breaks_again_is_news_again(registry: Checking) -> None:
    registry.check()
    child = registry.stored.revision_link(REPOSITORY, registry.push.image(seed="child"))
    assert registry.check().broken == 0
    child.unlink()

    assert registry.check().new == 1
    assert alarms() == 2


def test_another_fault_of_a_tag_that_was_broken_is_news(registry: Checking) -> None:
    registry.check()
    other = registry.push.image(seed="other")
    registry.lose(registry.parts(other)[0])

    assert registry.check().new == 1


def test_after_a_sweep_a_sample_is_checked(registry: Checking) -> None:
    swept = sweep(registry)
    check = services.verify_after(registry.row, swept)

    assert (check.sample, check.after_job, check.is_deep) == (services.SAMPLE, swept.pk, False)
    assert check.job is not None
    ended = registry.carry_out(check)
    assert (ended.state, ended.new) == (State.DONE, 1)


def test_what_began_before_the_sweep_ended_proves_nothing(registry: Checking) -> None:
    before, job, _ = services.begin(registry.row, Terms())
    first, swept = sweep(registry), sweep(registry)
    waiting = services.verify_after(registry.row, first)
    assert services.verify_after(registry.row, swept) == waiting
    services.queue_waiting()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.job) == (State.WAITING, None)

    registry.carry_out(before, job)
    services.queue_waiting()

    ended = registry.carry_out(waiting)
    assert (ended.pk, ended.state, ended.after_job) == (waiting.pk, State.DONE, swept.pk)
    assert Check.objects.count() == 2


def test_two_of_one_registry_never_run_at_once(registry: Checking) -> None:
    first, job, _ = services.begin(registry.row, Terms())
    assert services.begin(registry.row, Terms(is_deep=True)) == (first, job, False)


def test_only_staff_begin_one(registry: Checking) -> None:
    with pytest.raises(NotPermitted):
        services.begin(registry.row, Terms(), make.person("ana"))
    assert not Check.objects.exists()


def test_one_whose_job_ended_without_it_has_broken_off(registry: Checking) -> None:
    check, job, _ = services.begin(registry.row, Terms())
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, message="Its worker died 5 times.")
    services.queue_waiting()
    check.refresh_from_db()
    assert (check.state, check.message) == (State.BROKEN_OFF, "Its worker died 5 times.")


def test_old_checks_go_unless_theirs_is_the_last_word_on_a_tag(registry: Checking) -> None:
    with_word = registry.check()
    Check.objects.create(registry=registry.row, state=State.DONE)
    Check.objects.update(created_at=timezone.now() - timedelta(days=100))
    new = Check.objects.create(registry=registry.row, state=State.DONE)

    services.prune(timezone.now())

    assert set(Check.objects.values_list("pk", flat=True)) == {with_word.pk, new.pk}
