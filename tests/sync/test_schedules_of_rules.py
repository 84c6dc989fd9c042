"""Which rules are due: by the clock, by what was pushed, and when what waited goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from jobs import running
from jobs import services as jobs
from jobs.models import Job
from jobs.schedule import Schedule, When
from registries import services as registries
from registries.models import Registry
from sync import pruning, rules, services
from sync.details import Details
from sync.models import Item, Rule, Run
from tests.sync.syncing import NAME, Syncing, ends

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def saved(syncing: Syncing, schedule: Schedule, **more: object) -> Rule:
    details = Details("app", "upstream", (NAME,), "ours", into="mirror/{repository}", schedule=schedule, **more)  # type: ignore[arg-type]
    return rules.save(details, syncing.person)


def queued() -> list[str]:
    return list(Job.objects.filter(kind="sync", state=Job.State.QUEUED).values_list("subject", flat=True))


def test_a_rule_is_due_when_its_clock_says_so_and_once(syncing: Syncing) -> None:
    rule = saved(syncing, Schedule(When.EVERY, every=60))
    Rule.objects.filter(pk=rule.pk).update(next_at=NOW)

    services.queue_due(NOW - timedelta(seconds=1))
    assert queued() == []
    services.queue_due(NOW)
    services.queue_due(NOW + timedelta(seconds=30))

    run = Run.objects.get()
    assert queued() == [run.job_subject]
    assert (run.requested_by, run.actor) == (None, "")
    rule.refresh_from_db()
    assert rule.next_at == NOW + timedelta(hours=1)


def test_a_rule_that_is_switched_off_is_never_due(syncing: Syncing) -> None:
    rule = saved(syncing, Schedule(When.EVERY, every=60))
    rules.switch(rule, syncing.person, on=False)

    services.queue_due(datetime.now(UTC) + timedelta(days=2))

    assert queued() == []


def test_one_that_is_still_under_way_is_not_begun_twice(syncing: Syncing) -> None:
    rule = saved(syncing, Schedule(When.EVERY, every=60))
    for hour in range(3):
        Rule.objects.filter(pk=rule.pk).update(next_at=NOW + timedelta(hours=hour))
        services.queue_due(NOW + timedelta(hours=hour))

    assert Run.objects.count() == 1


def test_a_push_to_the_source_makes_a_rule_due(syncing: Syncing) -> None:
    Registry.objects.filter(pk=syncing.source.pk).update(role=Registry.Role.CATALOG)
    pushed(syncing, NAME, "before")
    saved(syncing, Schedule(When.EVENT))
    services.queue_due(NOW)
    assert queued() == [], "what was pushed before the rule was made is nothing new"

    pushed(syncing, "team/other", "1")
    for _ in range(2):
        services.queue_due(NOW)
    assert queued() == [], "and nor is what was pushed elsewhere"

    pushed(syncing, NAME, "2")
    for _ in range(4):
        services.queue_due(NOW)
    assert len(queued()) == 1


def test_a_push_is_heard_that_was_written_late(syncing: Syncing) -> None:
    """PostgreSQL shows an entry when it is committed, which may be after one of a higher number."""
    Registry.objects.filter(pk=syncing.source.pk).update(role=Registry.Role.CATALOG)
    saved(syncing, Schedule(When.EVENT))
    pushed(syncing, "team/other", "first", pk=1001)
    services.queue_due(NOW)
    pushed(syncing, NAME, "late", pk=1000)

    services.queue_due(NOW)

    assert len(queued()) == 1


def test_a_push_while_a_run_is_under_way_is_heard_when_that_is_over(syncing: Syncing) -> None:
    """It may have looked before."""
    Registry.objects.filter(pk=syncing.source.pk).update(role=Registry.Role.CATALOG)
    syncing.push.image("1.0")
    rule = saved(syncing, Schedule(When.EVENT))
    first, job = services.begin(rule, here=True)

    pushed(syncing, NAME, "1")
    for _ in range(3):
        services.queue_due(NOW)
    assert Run.objects.get() == first
    running.run_here(job.pk)
    services.queue_due(NOW)

    assert queued() == [Run.objects.exclude(pk=first.pk).get().job_subject]


def test_a_rule_that_is_changed_still_hears_what_was_pushed_before(syncing: Syncing) -> None:
    Registry.objects.filter(pk=syncing.source.pk).update(role=Registry.Role.CATALOG)
    rule = saved(syncing, Schedule(When.EVENT))
    pushed(syncing, NAME, "1")

    rules.save(replace(rule.details, bytes_per_second=1_000_000), syncing.person, rule)
    for _ in range(2):
        services.queue_due(NOW)

    assert queued() == [Run.objects.get().job_subject]


@pytest.mark.parametrize("schedule", [Schedule(When.EVERY, every=60), Schedule(When.EVENT)])
def test_what_is_due_stays_due_until_its_run_is_queued(syncing: Syncing, schedule: Schedule) -> None:
    """Whoever dies in between loses neither the hour nor the push."""
    Registry.objects.filter(pk=syncing.source.pk).update(role=Registry.Role.CATALOG)
    rule = saved(syncing, schedule)
    pushed(syncing, NAME, "1")
    services.queue_due(NOW - timedelta(seconds=30))
    Rule.objects.filter(pk=rule.pk, terms__schedule__when="every").update(next_at=NOW)

    def dies(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith('INSERT INTO "sync_run"'):
            raise KeyboardInterrupt
        return execute(sql, *rest)

    with connection.execute_wrapper(dies), pytest.raises(KeyboardInterrupt):
        services.queue_due(NOW)
    assert not Run.objects.exists()
    services.queue_due(NOW)

    assert queued() == [Run.objects.get().job_subject]


def pushed(syncing: Syncing, repository: str, key: str, **more: Any) -> None:
    Entry.objects.create(
        **more,
        key=key,
        act=Entry.Act.PUSH,
        outcome=Entry.Outcome.DONE,
        source=Entry.Source.EVENT,
        registry="upstream",
        registry_id=syncing.source.pk,
        repository=repository,
        tag="1.0",
    )


def test_a_rule_keeps_to_its_hours_and_a_person_does_not(syncing: Syncing) -> None:
    syncing.push.image("1.0")
    now = datetime.now(UTC)
    begins = (now + timedelta(hours=2)).strftime("%H:%M")
    ends_at = (now + timedelta(hours=3)).strftime("%H:%M")
    rule = saved(syncing, Schedule(window=f"{begins}-{ends_at}"))

    run, job = services.begin(rule)
    running.run_here(job.pk)
    run.refresh_from_db()

    assert run.state == Run.State.WAITING
    assert run.resumes_at is not None
    assert timedelta(hours=1) < run.resumes_at - now <= timedelta(hours=2, minutes=1)
    Run.objects.all().delete()
    assert ends(syncing.run(rule)) == {"1.0": "copy done"}


def test_what_waited_goes_on_when_its_time_has_come(syncing: Syncing) -> None:
    syncing.push.image("1.0")
    run = syncing.plan(saved(syncing, Schedule()))
    Run.objects.filter(pk=run.pk).update(state=Run.State.WAITING, resumes_at=NOW)

    services.queue_due(NOW - timedelta(seconds=1))
    assert queued() == []
    services.queue_due(NOW)
    running.run_here(Job.objects.get(state=Job.State.QUEUED).pk)

    run.refresh_from_db()
    assert run.state == Run.State.DONE


@pytest.mark.parametrize("by", ["run", "job"])
def test_a_run_that_is_stopped_before_it_went_on_waits_no_more(syncing: Syncing, by: str) -> None:
    """Or it would be queued again with every minute, whatever somebody has said."""
    syncing.push.image("1.0")
    run = syncing.plan(saved(syncing, Schedule()))
    Run.objects.filter(pk=run.pk).update(state=Run.State.WAITING, resumes_at=NOW)
    services.queue_due(NOW)

    assert services.stop(run, syncing.person) if by == "run" else jobs.stop(Job.objects.get(state=Job.State.QUEUED))
    services.queue_due(NOW)

    run.refresh_from_db()
    assert (run.state, run.resumes_at, queued()) == (Run.State.BROKEN_OFF, None, [])
    assert run.message


def test_what_is_tried_again_is_kept_though_it_is_old(syncing: Syncing) -> None:
    run = syncing.run(saved(syncing, Schedule()))
    Run.objects.filter(pk=run.pk).update(created_at=NOW - timedelta(days=8))
    Item.objects.update(state=Item.State.FAILED)
    job = services.try_again(run, syncing.person)

    pruning.prune(NOW)
    assert jobs.stop(job)
    pruning.prune(NOW)

    assert Run.objects.get().state == Run.State.PLANNED


def test_old_runs_go_one_by_one(syncing: Syncing) -> None:
    """Each with thousands of items: nobody waits for the end of all of them."""
    syncing.push.image("1.0")
    rule = saved(syncing, Schedule())
    for _ in range(3):
        syncing.run(rule)

    with CaptureQueriesContext(connection) as queries:
        pruning.prune(datetime.now(UTC) + pruning.KEPT + timedelta(days=1))

    deleted = [query["sql"] for query in queries if query["sql"].startswith('DELETE FROM "sync_item"')]
    assert (Run.objects.count(), Item.objects.count(), len(deleted)) == (0, 0, 3)


def test_a_plan_that_nobody_carries_out_goes_when_its_job_is_over(syncing: Syncing) -> None:
    run, job = services.begin(saved(syncing, Schedule()), syncing.person, only_plan=True)
    Run.objects.filter(pk=run.pk).update(created_at=NOW - timedelta(days=8))

    pruning.prune(NOW)
    assert Run.objects.exists()
    running.run_here(job.pk)
    pruning.prune(NOW)

    assert not Run.objects.exists()


def test_unchanged_tags_are_kept_of_the_last_run_alone(syncing: Syncing) -> None:
    syncing.push.image("1.0")
    rule = saved(syncing, Schedule())
    first, second, third = (syncing.run(rule) for _ in range(3))

    pruning.prune(datetime.now(UTC))

    assert ends(first) == {"1.0": "copy done"}
    assert ends(second) == {}
    assert ends(third) == {"1.0": "keep skipped"}
    pruning.prune(datetime.now(UTC) + pruning.KEPT + timedelta(days=1))
    assert not Run.objects.exists()
    assert not Item.objects.exists()


def test_a_rule_that_nobody_understands_keeps_no_other_from_being_due(syncing: Syncing) -> None:
    rule = saved(syncing, Schedule(When.EVERY, every=60))
    odd = Rule.objects.create(name="odd", source=rule.source, target=rule.target, terms={"from": "elsewhere"})
    Rule.objects.update(next_at=NOW)

    services.queue_due(NOW)

    assert queued() == [Run.objects.get(rule=rule).job_subject]
    odd.refresh_from_db()
    assert odd.next_at is None


def test_another_address_of_a_target_loses_no_rule(syncing: Syncing) -> None:
    """It was never scanned, so its row would go; the rule waits for somebody to say where it copies to now."""
    rule = saved(syncing, Schedule(When.EVERY, every=60))

    registries.edit(syncing.target, registries.Details(url="http://127.0.0.1:1", name="ours", plain_http=True))

    Rule.objects.update(next_at=NOW)
    services.queue_due(NOW)
    rule.refresh_from_db()
    assert rule.target.retired_at is not None
    assert queued() == []
