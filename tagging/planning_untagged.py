"""Plans to delete manifests that no tag reaches: by their digests, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from catalog.models import Repository
from tagging.models import Plan, PlanItem
from tagging.planning import AskedByRule, NotPlanned, new_plan
from tagging.trash import KEEPS_GONE


def plan_untagged(repository: Repository, digests: Sequence[str], actor: str, why: str) -> Plan:
    """Delete these in this order, as whoever asks has judged; the catalog knows their content, present or not.

    Each is looked at once more before it goes: what a tag points to by then, and all below that, stays. In one
    transaction, so not of very many. Raises NotPlanned.
    """
    if not digests or repository.registry.retired_at is not None:
        raise NotPlanned
    with transaction.atomic():
        asked = AskedByRule(actor, why)
        plan = new_plan(repository.registry, Plan.Act.DELETE_IMAGES, asked, {KEEPS_GONE: True})
        plan.repository = repository
        plan.save(update_fields=["repository"])
        PlanItem.objects.bulk_create(
            PlanItem(
                plan=plan,
                position=position,
                step=PlanItem.Step.DELETE_MANIFEST,
                repository=repository,
                digest=digest,
            )
            for position, digest in enumerate(digests)
        )
    return plan
