"""What people have done through Berth: plans that were carried out, with their items, their trash and their record."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from audit.models import Entry
from catalog.models import Repository, Tag
from catalog.recording.chunks import by_number
from registry_ui.bench.catalog_data.shape import Catalog
from tagging.models import Plan, PlanItem, ProtectionRule, TrashEntry

_TAGS_OF_A_PLAN: Final = 20
_TAGS_FOR_A_PLAN: Final = 200  # that the catalog has
_TOGETHER: Final = 50  # plans
_KEPT: Final = timedelta(days=14)
_EVERY: Final = timedelta(minutes=2)  # a plan
_PEOPLE: Final = ("ana", "ben", "cleo", "dai")
_RULES: Final = (("*", "v?.*"), ("team/*", "release-*"), ("*", "stable"))


def act(catalog: Catalog) -> None:
    """As many plans as fit the catalog, each for some tags of one repository, in the order of time until now."""
    chance = random.Random(catalog.seed)  # noqa: S311  nothing here is secret
    places = list(Repository.objects.live().filter(tag_count__gt=0).select_related("registry").order_by("pk"))
    count = max(1, catalog.tags // _TAGS_FOR_A_PLAN)
    began = timezone.now() - count * _EVERY
    ProtectionRule.objects.bulk_create([ProtectionRule(repositories=r, tags=t) for r, t in _RULES])
    for numbers in by_number(range(count), _TOGETHER):
        plans = [_plan(chance, chance.choice(places), number, began + number * _EVERY) for number in numbers]
        items = [item for plan in Plan.objects.bulk_create(plans) for item in _items(plan)]
        PlanItem.objects.bulk_create(items)
        Entry.objects.bulk_create([_entry(item) for item in items])
        TrashEntry.objects.bulk_create([_thrown_away(item) for item in items])


def _plan(chance: random.Random, repository: Repository, number: int, at: datetime) -> Plan:
    return Plan(
        registry=repository.registry,
        repository=repository,
        act=Plan.Act.DELETE_TAGS,
        state=Plan.State.DONE,
        name=f"{number:032x}",
        why="superseded" if number % 3 else "",
        actor=chance.choice(_PEOPLE),
        message="Done.",
        created_at=at,
        began_at=at,
        ended_at=at,
    )


def _items(plan: Plan) -> Iterator[PlanItem]:
    tags = Tag.objects.live().filter(repository=plan.repository).exclude(presence=None)
    rows = tags.values_list("name", "presence__manifest__digest")[:_TAGS_OF_A_PLAN]
    for position, (name, digest) in enumerate(rows):
        yield PlanItem(
            plan=plan,
            position=position,
            step=PlanItem.Step.DELETE_TAG,
            repository=plan.repository,
            tag=name,
            digest=digest,
            state=PlanItem.State.DONE,
        )


def _entry(item: PlanItem) -> Entry:
    plan = item.plan
    return Entry(
        key=item.key,
        at=plan.ended_at or plan.created_at,
        act=Entry.Act.DELETE_TAG,
        outcome=Entry.Outcome.DONE,
        actor=plan.actor,
        registry=plan.registry.name,
        registry_id=plan.registry_id,
        repository=item.repository.name,
        tag=item.tag,
        digest_before=item.digest,
        why=plan.why,
        plan_id=plan.pk,
    )


def _thrown_away(item: PlanItem) -> TrashEntry:
    plan = item.plan
    assert plan.ended_at is not None  # noqa: S101  it was made so
    return TrashEntry(
        registry=plan.registry,
        repository=item.repository,
        tag=item.tag,
        digest=item.digest,
        how=TrashEntry.How.UNTAGGED,
        who=plan.actor,
        why=plan.why,
        plan=plan,
        position=item.position,
        deleted_at=plan.ended_at,
        until=plan.ended_at + _KEPT,
        state=TrashEntry.State.RESTORABLE,
        checked_at=plan.ended_at,
    )
