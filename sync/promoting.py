"""Copying images that somebody has chosen from one of our registries to another, and putting back what was there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext_noop

from catalog.models import Presence, Repository, Tag
from oci.names import RepositoryName, TagName
from registries.models import Registry
from sync.details import Moved
from sync.models import Item, Run
from sync.services import queue
from sync.terms import Terms
from tagging.permission import check_may_act
from tagging.planning import Asked, NotPlanned
from tagging.planning_copies import Kind, Target, plan_copy

if TYPE_CHECKING:
    from access.models import User
    from jobs.models import Job
    from tagging.models import Plan

MOST: Final = 500  # tags at once
_MOST_NAMED: Final = 5
_NOTHING: Final = gettext_noop("None of these tags is there any more: there is nothing to copy.")
_SOME_GONE: Final = gettext_noop("These tags are not there any more: %(tags)s. Nothing was copied: select the others.")
_MANY: Final = gettext_noop("At most %(n)s tags can be copied at once.")
_NO_BEFORE: Final = gettext_noop("There is nothing to go back to: the tag was new.")
_NOT_SEEN: Final = gettext_noop("The image that it pointed to before is not there any more, or no scan has seen it.")
_MOVED_ON: Final = gettext_noop("The tag points to another image by now, so it was left alone.")
SENTENCES: Final = (_NOTHING, _SOME_GONE, _MANY, _NO_BEFORE, _NOT_SEEN, _MOVED_ON)


def promote(  # noqa: PLR0913  each is one thing that the person chooses
    repository: Repository,
    tags: Mapping[TagName, TagName],
    target: Registry,
    into: RepositoryName,
    person: User,
    *,
    moved: Moved = Moved.BACK_UP,
    only_plan: bool = False,
) -> tuple[Run, Job]:
    """Copy these tags, as the catalog has them, each under the name beside it. Raises NotPermitted and NotPlanned."""
    check_may_act(person, target)
    if len(tags) > MOST:
        raise NotPlanned(_MANY % {"n": MOST})
    rows = Tag.objects.live().filter(repository=repository, name__in=list(tags)).exclude(presence=None)
    digests = dict(rows.values_list("name", "presence__manifest__digest"))
    if not digests:
        raise NotPlanned(_NOTHING)
    if gone := [tag for tag in tags if tag not in digests]:
        more = [f"+{len(gone) - _MOST_NAMED}"] if len(gone) > _MOST_NAMED else []
        raise NotPlanned(_SOME_GONE % {"tags": ", ".join([*gone[:_MOST_NAMED], *more])})
    pins = tuple(f"{tags[tag]}@{digests[tag]}" for tag in tags)
    terms = Terms(repositories=(repository.name,), into=into, pins=pins, moved=moved)
    with transaction.atomic():
        run = Run.objects.create(
            name=f"{repository.registry.name}/{repository.name}"[:64],
            source=repository.registry,
            target=target,
            terms=terms.written(),
            requested_by=person,
            actor=str(person),
        )
        return run, queue(run, person, only_plan=only_plan)


def plan_roll_back(item: Item, person: User) -> Plan:
    """Point the tag of `item` to where it pointed before. Raises NotPermitted and NotPlanned."""
    if not item.before or not item.tag:
        raise NotPlanned(_NO_BEFORE)
    place = Presence.objects.filter(
        repository__registry=item.run.target, repository__name=item.repository, manifest__digest=item.before
    )
    row = place.select_related("repository__registry").first()
    if row is None:
        raise NotPlanned(_NOT_SEEN)
    now_at = Tag.objects.live().filter(repository=row.repository, name=item.tag)
    if now_at.values_list("presence__manifest__digest", flat=True).first() != item.after:
        raise NotPlanned(_MOVED_ON)
    target = Target(RepositoryName(item.repository), TagName(item.tag))
    return plan_copy(row.repository, item.before, target, Asked(person), kind=Kind.ROLL_BACK)
