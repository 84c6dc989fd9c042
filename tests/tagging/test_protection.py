from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from access.models import User
from audit.models import AppendOnly, Entry
from catalog.models import TagSpan
from registries.models import Registry
from registries.patterns import matches
from tagging import breaches, planning_restores, rules
from tagging.models import Plan, ProtectionRule, TrashEntry
from tagging.permission import NotPermitted
from tagging.planning import Asked
from tests.hostile import Raw
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate
from tests.web import furniture as make


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*", "anything", True),
        ("v*", "v1", True),
        ("v*", "V1", False),
        ("1.?", "1.2", True),
        ("1.?", "1.22", False),
        ("1.2", "1x2", False),
        ("team/*", "team/a/b", True),
        ("team/*", "steam/a", False),
        ("a**b", "ab", True),
        ("latest", "latest\n", False),
        ("*a*a*a*a*a*a*a*a*a*b", "a" * 128, False),
    ],
)
def test_a_pattern_matches_whole_names(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits


def test_a_protected_tag_is_left_alone(actor: Actor) -> None:
    actor.push.image("v1", "v2", "x")
    actor.scan()
    rules.add(ProtectionRule(registry=actor.row, repositories="team/*", tags="v*", why="released"), actor.person)

    plan = actor.carry_out(actor.plan_tags("v1", "x"))

    assert actor.outcomes(plan) == {"v1": "skipped", "x": "done"}
    assert actor.notes(plan) == {"it is protected by the rule team/*:v*"}
    assert actor.listed() == {"v1", "v2"}
    assert actor.pulls("v1")
    image = actor.carry_out(actor.plan_images(actor.digest("v2")))
    assert actor.outcomes(image)["v2"] == "skipped"
    assert actor.listed() == {"v1", "v2"}
    assert actor.pulls("v2")


@pytest.mark.django_db(transaction=True)
def test_rules_that_cannot_be_read_mean_no(actor: Actor) -> None:
    actor.push.image("v1")
    actor.scan()
    plan = actor.plan_tags("v1")
    execute("ALTER TABLE tagging_protectionrule RENAME TO away")
    try:
        actor.carry_out(plan)
    finally:
        execute("ALTER TABLE away RENAME TO tagging_protectionrule")

    assert actor.outcomes(plan) == {"v1": "planned"}
    assert actor.listed() == {"v1"}


@pytest.mark.parametrize("heard", [True, False])
def test_a_rule_that_came_after_a_tag_was_begun_holds_where_nothing_was_done_yet(
    gate: Gate, gated: Actor, heard: bool
) -> None:
    gated.push.image("v1", "x")
    gated.scan()
    plan = gated.plan_tags("v1")
    method = "PUT" if gated.overwrites else "DELETE"
    gate.refuse(after=0, method=method, reply=Raw(b""), heard=heard, times=3 if gated.overwrites else 1, for_all=True)
    gated.carry_out(plan)
    gate.open()
    rules.add(ProtectionRule(registry=gated.row, tags="v*"), gated.person)

    gated.carry_out(plan)

    assert gated.outcomes(plan) == {"v1": "done" if heard else "skipped"}
    assert gated.listed() == ({"x"} if heard else {"v1", "x"})
    assert gated.live() == gated.listed()


def test_a_move_from_outside_is_recorded_and_put_back(actor: Actor) -> None:
    old = actor.push.image("v1", "other")
    actor.scan()
    rules.add(ProtectionRule(registry=actor.row, tags="v*"), actor.person)
    breaches.look(timezone.now())
    new = actor.push.image("v1", seed="new")
    actor.push.image("other", seed="new")
    actor.scan()

    breaches.look(timezone.now())
    breaches.look(timezone.now())

    (entry,) = Entry.objects.filter(act__startswith="breach")
    assert (entry.act, entry.tag, entry.digest_before, entry.digest_after) == ("breach-move", "v1", old, new)
    assert entry.actor == ""
    (kept,) = actor.trash()
    assert (kept.tag, kept.digest, kept.how) == ("v1", old, TrashEntry.How.OUTSIDE)
    plan = planning_restores.plan_restore(actor.row, [kept], Asked(actor.person), reverts=True)
    actor.carry_out(plan)
    assert actor.outcomes(plan) == {"v1": "done"}, actor.notes(plan)
    assert actor.push_digest("v1") == old
    assert Entry.objects.filter(plan_id=plan.pk).get().act == "revert"
    breaches.look(timezone.now())
    assert Entry.objects.filter(act__startswith="breach").count() == 1


def test_a_delete_from_outside_is_put_back_with_all_platforms(actor: Actor) -> None:
    children = [actor.push.image(platform=f"linux/{name}") for name in ("amd64", "arm64")]
    index = actor.push.index("v1", children=children)
    actor.push.image("stays", seed="stays")
    actor.scan()
    rules.add(ProtectionRule(tags="v*"), actor.person)
    breaches.look(timezone.now())
    actor.delete_from_outside(index, *children)
    actor.scan()

    breaches.look(timezone.now())

    (entry,) = Entry.objects.filter(act__startswith="breach")
    assert (entry.act, entry.digest_before) == ("breach-delete", index)
    plan = planning_restores.plan_restore(actor.row, actor.trash(), Asked(actor.person), reverts=True)
    actor.carry_out(plan)
    assert actor.outcomes(plan) == {"v1": "done"}, actor.notes(plan)
    assert actor.pulls("v1")


def test_what_berth_did_and_what_was_before_the_rule_are_no_breaches(actor: Actor) -> None:
    actor.push.image("v1", "v2", "v3")
    actor.scan()
    breaches.look(timezone.now())
    actor.carry_out(actor.plan_tags("v1"))
    actor.push.image("v2", seed="new")
    actor.scan()
    rules.add(ProtectionRule(tags="v*"), actor.person)

    breaches.look(timezone.now())

    assert not Entry.objects.filter(act__startswith="breach").exists()
    assert TagSpan.objects.exclude(ended=None).count() == 2


def test_rules_are_staff_s_and_recorded(staff: User) -> None:
    where = make.registry("local")
    with pytest.raises(NotPermitted):
        rules.add(ProtectionRule(tags="v*"), make.person("reader"))
    rule = rules.add(ProtectionRule(registry=where, repositories="a/*", tags="v*", why="rele\0\u202eased"), staff)
    with pytest.raises(ValidationError):
        rules.add(ProtectionRule(registry=where, repositories="a/*", tags="v*"), staff)
    with pytest.raises(ValidationError):
        rules.add(ProtectionRule(tags="v[1]"), staff)
    rules.remove(rule, staff)

    said = [(e.act, e.actor, e.detail, e.why) for e in Entry.objects.order_by("id")]
    assert said == [("protect", "mara", "a/*:v*", "released"), ("unprotect", "mara", "a/*:v*", "released")]
    assert not ProtectionRule.objects.exists()


def test_a_preview_says_what_a_rule_would_match(staff: User) -> None:
    where = make.registry("local")
    for name in ("team/app", "team/web", "other"):
        repository = make.repository(where, name)
        make.put(repository, make.image(), "v1", "latest")

    preview = rules.preview(None, "team/*", "v*")

    assert (preview.tags, preview.repositories, preview.is_whole) == (2, 2, True)
    assert preview.named == ("team/app:v1", "team/web:v1")


def test_entries_of_the_audit_are_never_changed(staff: User) -> None:
    rules.add(ProtectionRule(tags="v*"), staff)
    entry = Entry.objects.get()
    changes: list[Callable[[], object]] = [
        entry.save,
        entry.delete,
        lambda: Entry.objects.update(actor="nobody"),
        lambda: Entry.objects.all().delete(),
        lambda: Entry.objects.filter(pk=entry.pk).bulk_update([entry], ["actor"]),
    ]
    for change in changes:
        with pytest.raises(AppendOnly):
            change()
    assert Entry.objects.get().actor == "mara"


def test_what_is_planned_is_checked_by_whose_plan_it_is(staff: User, db: None) -> None:
    where = make.registry("local")
    make.put(make.repository(where), make.image(), "1")
    reader = make.person("reader")
    for act in ("plan", "retired"):
        if act == "retired":
            Registry.objects.update(retired_at=timezone.now() - timedelta(days=1))
        with pytest.raises(NotPermitted):
            _plan(where, reader if act == "plan" else staff)
    assert not Plan.objects.exists()


def _plan(where: Registry, person: User) -> None:
    from tagging import planning

    row = Registry.objects.get(pk=where.pk).repositories.select_related("registry").get()
    planning.plan_tags(row, ["1"], Asked(person))
