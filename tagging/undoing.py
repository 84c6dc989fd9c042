"""Making the plan that takes a plan back."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from catalog.models import Repository, Tag
from oci.names import parse_repository, parse_tag
from tagging.models import Plan, PlanItem, TrashEntry
from tagging.planning import Asked, NotPlanned, plan_tags
from tagging.planning_copies import Kind, Target, plan_copy
from tagging.planning_restores import plan_restore

_NOTHING = gettext_noop("Nothing of this can be taken back any more.")
_THERE_AGAIN = gettext_noop("The tag %(tag)s is there again, and points elsewhere: it was left alone.")
SENTENCES = (_NOTHING, _THERE_AGAIN)


def can_undo(plan: Plan) -> bool:
    """Whether anything was done that can be taken back: two queries at most."""
    if plan.act == Plan.Act.COPY:
        return _set_tag(plan) is not None
    return plan.act != Plan.Act.RESTORE and TrashEntry.objects.listed().filter(plan=plan).exists()


def plan_undo(plan: Plan, asked: Asked) -> Plan:
    """What was deleted is restored; a tag that was set goes back to where it was, or goes; a rename is turned round.

    Raises NotPermitted and NotPlanned.
    """
    if plan.act != Plan.Act.COPY:
        return plan_restore(plan.registry, list(TrashEntry.objects.listed().filter(plan=plan)), asked)
    item = _set_tag(plan)
    if item is None:
        raise NotPlanned(_NOTHING)
    old = plan.items.filter(step=PlanItem.Step.DELETE_TAG, state=PlanItem.State.DONE).first()
    if old is not None:
        return _turn_round(item, old, asked)
    if item.digest and item.digest != item.target:
        replaced = TrashEntry.objects.listed().filter(plan=plan, position=item.position)
        return plan_restore(plan.registry, list(replaced), asked, replace=True)
    return plan_tags(item.repository, [item.tag], asked)


def _set_tag(plan: Plan) -> PlanItem | None:
    """The tag that a copy was for, while it points there: what is attached came before it."""
    mine = plan.items.filter(step=PlanItem.Step.PUT_TAG, state=PlanItem.State.DONE)
    item = mine.select_related("repository__registry").order_by("-position").first()
    if item is None:
        return None
    live = Tag.objects.live().filter(repository=item.repository_id, name=item.tag)
    return item if live.filter(presence__manifest__digest=item.target).exists() else None


def _turn_round(new: PlanItem, old: PlanItem, asked: Asked) -> Plan:
    there = Tag.objects.live().filter(repository=old.repository_id, name=old.tag)
    if there.exclude(presence__manifest__digest=new.target).exists():
        raise NotPlanned(_THERE_AGAIN % {"tag": old.tag})
    source = Repository.objects.select_related("registry").get(pk=new.repository_id)
    target = Target(parse_repository(old.repository.name), parse_tag(old.tag))
    return plan_copy(source, new.target, target, asked, kind=Kind.RENAME, old_tag=new.tag)
