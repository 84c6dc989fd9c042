"""Keeping rules: what is checked, what is noted, who may."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import timezone

from access.models import User
from audit.models import Entry
from jobs.schedule import Schedule, When
from oci.transfer.selection import Form, Selection
from registries.models import Registry
from sync import rules
from sync.choosing import Choice
from sync.details import Details, Moved
from sync.models import Rule
from sync.rules import RuleNotSaved
from sync.terms import InvalidTerms, Terms
from tagging.permission import NotPermitted
from tests.web import furniture as make

pytestmark = pytest.mark.django_db
GOOD = Details("golang", "docker-io", ("library/golang",), "ours", into="mirror/{name}")


@pytest.fixture
def staff() -> User:
    Registry.objects.create(name="docker-io", url="https://registry-1.docker.io", role=Registry.Role.SOURCE)
    Registry.objects.create(name="ours", url="http://127.0.0.1:5000")
    return make.person("mara", staff=True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Golang"}, "name"),
        ({"name": "add"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"source": "nowhere"}, "source"),
        ({"target": "nowhere"}, "target"),
        ({"target": "docker-io"}, "target"),
        ({"repositories": ()}, "repositories"),
        ({"repositories": ("Library/Golang",)}, "repositories"),
        ({"repositories": ("../secret",)}, "repositories"),
        ({"repositories": ("a b*",)}, "repositories"),
        ({"into": "{nothing}/x"}, "into"),
        ({"into": "UPPER/{name}"}, "into"),
        ({"source": "ours", "into": "{repository}"}, "into"),
        ({"choice": Choice(allow=("/(/",))}, "choice"),
        ({"choice": Choice(ranges=("one",))}, "choice"),
        ({"choice": Choice(newest=0)}, "choice"),
        ({"pins": ("1.0@sha256:short",)}, "pins"),
        ({"selection": Selection(("linux amd64",))}, "platforms"),
        ({"selection": Selection(("linux/amd64", "linux/arm64"), Form.CHILD)}, "form"),
        ({"backup": "{tag} before"}, "backup"),
        ({"backup": "{tag}"}, "backup"),
        ({"backup": "before-{date}"}, "backup"),
        ({"source": "ours", "repositories": ("*",), "into": "mirror/{repository}"}, "into"),
        ({"schedule": Schedule(When.CRON, cron="* * *")}, "cron"),
        ({"schedule": Schedule(When.EVERY, every=1)}, "every"),
        ({"schedule": Schedule(When.CRON, cron="0 4 * * *", zone="Mars/Olympus")}, "zone"),
        ({"schedule": Schedule(window="late")}, "window"),
        ({"bytes_per_second": 10}, "bytes_per_second"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_not_kept(staff: User, change: dict[str, object], field: str) -> None:
    with pytest.raises(RuleNotSaved) as refused:
        rules.save(replace(GOOD, **change), staff)  # type: ignore[arg-type]

    assert refused.value.field == field
    assert str(refused.value).endswith(".")
    assert not Rule.objects.exists()
    assert not Entry.objects.exists()


def test_a_rule_says_what_was_said(staff: User) -> None:
    details = replace(
        GOOD,
        repositories=("library/golang", "library/al*"),
        choice=Choice(("1.*",), ("*-windows*",), ("^1.22",), newest=3),
        selection=Selection(("linux/amd64",), Form.REWRITTEN, attestations=False),
        attached=frozenset({"signature"}),
        moved=Moved.BACK_UP,
        deletes_gone=True,
        schedule=Schedule(When.CRON, cron="30 4 * * 1-5", zone="Europe/Berlin", window="22:00-06:00"),
        bytes_per_second=5_000_000,
    )

    rule = Rule.objects.get(pk=rules.save(details, staff).pk)

    assert rule.details == details
    assert rule.next_at is not None
    entry = Entry.objects.get()
    assert (entry.act, entry.actor, entry.registry, entry.why) == ("rule-add", "mara", "ours", "golang")


def test_a_change_notes_what_was_changed_and_no_change_notes_nothing(staff: User) -> None:
    rule = rules.save(GOOD, staff)

    rules.save(replace(GOOD, moved=Moved.LEAVE, pins=("sha256:" + "a" * 64,)), staff, rule)
    rules.save(replace(GOOD, moved=Moved.LEAVE, pins=("sha256:" + "a" * 64,)), staff, rule)

    (changed,) = Entry.objects.filter(act=Entry.Act.RULE_CHANGE)
    assert changed.detail == "pins, moved: overwrite → leave"


def test_a_name_is_one_rules(staff: User) -> None:
    rules.save(GOOD, staff)

    with pytest.raises(RuleNotSaved, match="name"):
        rules.save(GOOD, staff)


def test_only_staff_keep_rules(staff: User) -> None:
    rule, other = rules.save(GOOD, staff), make.person("paul")

    with pytest.raises(NotPermitted):
        rules.save(replace(GOOD, name="other"), other)
    with pytest.raises(NotPermitted):
        rules.switch(rule, other, on=False)
    with pytest.raises(NotPermitted):
        rules.remove(rule, other)
    rules.remove(rule, staff)
    assert not Rule.objects.exists()


def test_a_rule_into_a_registry_that_was_removed_can_go(staff: User) -> None:
    """It would be in the way of its source for ever."""
    rule = rules.save(GOOD, staff)
    Registry.objects.filter(pk=rule.target_id).update(retired_at=timezone.now())
    rule.refresh_from_db()

    rules.switch(rule, staff, on=False)
    with pytest.raises(NotPermitted):
        rules.switch(rule, staff, on=True)
    rules.remove(rule, staff)
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"moved": "sideways"},
        {"choice": None},
        {"selection": {"platforms": 3}},
        {"more": 1},
        {"into": 5},
        {"bytes_per_second": "fast"},
        {"attached": ["smell"]},
        {"repositories": [1]},
    ],
)
def test_terms_that_nobody_understands_are_said_to_be(change: dict[str, object]) -> None:
    document = Terms.of(GOOD).written() | change

    with pytest.raises(InvalidTerms):
        Terms.read(document)
