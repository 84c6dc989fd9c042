"""Making plans to restore what is in the trash."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Tag
from catalog.recording.chunks import by_number
from registries.models import Registry
from tagging.models import Plan, PlanItem, TrashEntry
from tagging.permission import check_may_act
from tagging.planning import Asked, NotPlanned, new_plan

_BATCH: Final = 500
_KINDS: Final = {False: "restore", True: "revert"}
_NOTHING: Final = gettext_noop("None of this is in the trash any more: there is nothing to restore.")
SENTENCES: Final = (_NOTHING,)


def plan_restore(
    registry: Registry,
    entries: Collection[TrashEntry],
    asked: Asked,
    *,
    replace: bool = False,
    reverts: bool = False,
) -> Plan:
    """Put these entries of one registry back; of two for one tag the newer one, and the older stays in the trash.

    `replace`: also over a tag that points elsewhere by now, which goes to the trash first. `reverts`: so too, and
    though the tag is protected, since that is what it is protected for. Raises NotPermitted and NotPlanned.
    """
    check_may_act(asked.person, registry)
    now = timezone.now()
    alive = [e for e in entries if e.registry_id == registry.pk and e.restored_at is None and e.until > now]
    if not alive:
        raise NotPlanned(_NOTHING)
    alive.sort(key=lambda entry: (entry.repository_id, entry.deleted_at or now, entry.pk))
    alive = list({(e.repository_id, e.tag or e.digest): e for e in alive}.values())
    repositories = {entry.repository_id for entry in alive}
    with transaction.atomic():
        params = {"replace": replace or reverts, "revert": reverts, "kind": _KINDS[reverts]}
        plan = new_plan(registry, Plan.Act.RESTORE, asked, params)
        if len(repositories) == 1:
            plan.repository_id = repositories.pop()
            plan.save(update_fields=["repository"])
        now_at = _targets(alive)
        PlanItem.objects.bulk_create(
            [
                PlanItem(
                    plan=plan,
                    position=position,
                    step=PlanItem.Step.PUT_TAG if entry.tag else PlanItem.Step.PUT_MANIFEST,
                    repository_id=entry.repository_id,
                    tag=entry.tag,
                    digest=now_at.get((entry.repository_id, entry.tag), ""),
                    target=entry.digest,
                    entry=entry,
                )
                for position, entry in enumerate(alive)
            ],
            batch_size=_BATCH,
        )
    return plan


def _targets(entries: Collection[TrashEntry]) -> dict[tuple[int, str], str]:
    """Where the tags that are to come back point now, by repository and name."""
    found: dict[tuple[int, str], str] = {}
    for piece in by_number(sorted({entry.tag for entry in entries if entry.tag}), _BATCH):
        rows = Tag.objects.live().filter(repository__in={entry.repository_id for entry in entries}, name__in=piece)
        for repository, name, digest in rows.values_list("repository_id", "name", "presence__manifest__digest"):
            found[repository, name] = digest or ""
    return found
