"""Policies are kept as they are said, in their order, and the audit knows who said so."""

from __future__ import annotations

import pytest

from audit.models import Entry
from cleanup.models import Policy
from cleanup.retention import policies
from cleanup.retention.terms import InvalidTerms
from registries.models import Registry
from tagging.permission import NotPermitted
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
TERMS = {"repositories": ["*"], "rules": [{"tags": ["*"], "newest": 3}]}


@pytest.fixture
def local() -> Registry:
    return make.registry()


def told() -> list[tuple[str, str, str]]:
    return list(Entry.objects.order_by("pk").values_list("act", "why", "detail"))


def test_a_policy_is_kept_changed_switched_and_removed_and_all_of_it_is_recorded(local: Registry) -> None:
    mara = make.person("mara", staff=True)
    row = policies.save(local, "app", TERMS, mara)
    daily = {**TERMS, "may_empty": True, "schedule": {"when": "every", "every": 60}}
    policies.save(local, "app", daily, mara, policy=row)
    policies.save(local, "app", daily, mara, policy=row)
    assert row.next_at is not None
    policies.switch(row, mara, on=False)
    assert row.next_at is None
    policies.remove(row, None)

    assert told() == [
        ("policy-add", "app", ""),
        ("policy-change", "app", "may_empty: no → yes, schedule"),
        ("policy-change", "app", "is_on: yes → no"),
        ("policy-remove", "app", ""),
    ]
    assert Entry.objects.order_by("pk").values_list("actor", flat=True)[0] == "mara"
    assert not Policy.objects.exists()


def test_policies_stand_in_an_order_that_can_be_changed(local: Registry) -> None:
    for name in ("a", "b", "c"):
        policies.save(local, name, TERMS, None)

    policies.put_in_order(local, ["c", "a"], None)

    assert list(Policy.objects.in_order().values_list("name", flat=True)) == ["c", "a", "b"]
    assert ("policy-change", "c", "position: 3 → 1") in told()


@pytest.mark.parametrize("name", ["", "App", "a b", "add", "x" * 65])
def test_a_name_is_one_that_stands_in_an_address(local: Registry, name: str) -> None:
    with pytest.raises(InvalidTerms) as fault:
        policies.save(local, name, TERMS, None)

    assert fault.value.field == "name"


def test_a_name_is_given_once_and_terms_that_are_wrong_are_not_kept(local: Registry) -> None:
    policies.save(local, "app", TERMS, None)

    with pytest.raises(InvalidTerms, match="name: Another policy has that name"):
        policies.save(local, "app", TERMS, None)
    with pytest.raises(InvalidTerms, match=r"rules\[0\].newest"):
        policies.save(local, "other", {"repositories": ["*"], "rules": [{"tags": ["*"], "newest": 0}]}, None)
    assert Policy.objects.count() == 1


def test_only_who_may_act_on_the_registry_may_say_what_goes_there(local: Registry) -> None:
    reader = make.person("vera")
    row = policies.save(local, "app", TERMS, None)

    for act in (
        lambda: policies.save(local, "other", TERMS, reader),
        lambda: policies.switch(row, reader, on=True),
        lambda: policies.put_in_order(local, [], reader),
        lambda: policies.remove(row, reader),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert Policy.objects.count() == 1
