"""Making plans to give an image another tag: in its repository, or in another of the same registry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Manifest, Presence, Repository, Tag
from catalog.sort_keys import name_key
from oci.names import RepositoryName, TagName
from tagging.family import Families
from tagging.models import Plan, PlanItem
from tagging.permission import check_may_act
from tagging.planning import Asked, NotPlanned, new_plan
from tagging.protection import protected_among

_SAME: Final = gettext_noop("The tag points to this image already: there is nothing to do.")
_ABSENT: Final = gettext_noop("This image is not in the repository any more: there is nothing to copy.")
_NO_TAG: Final = gettext_noop("There is no such tag any more: there is nothing to rename.")
_KEPT: Final = gettext_noop("The tag %(tag)s cannot be changed: %(why)s.")
SENTENCES: Final = (_SAME, _ABSENT, _NO_TAG, _KEPT)


class Kind(StrEnum):
    """What it is called: the words of `audit.models.Entry.Act`."""

    RETAG = "retag"
    COPY = "copy"
    RENAME = "rename"
    ROLL_BACK = "roll-back"
    REVERT = "revert"


@dataclass(frozen=True, slots=True)
class Target:
    repository: RepositoryName
    tag: TagName


def plan_copy(  # noqa: PLR0913  each is one thing that the person chooses
    source: Repository,
    digest: str,
    target: Target,
    asked: Asked,
    *,
    kind: Kind = Kind.RETAG,
    attached: bool = False,
    old_tag: str = "",
) -> Plan:
    """Point `target` to an image of `source`, with what is attached to it if that is wanted.

    `old_tag`: the tag that goes once the new one is there (a rename). Where the target points now is written down: it
    goes to the trash, and only if it still points there. Raises NotPermitted and NotPlanned.
    """
    check_may_act(asked.person, source.registry)
    # Also one that no tag reaches any more: its manifest may live, which is found out when it is carried out.
    place = Presence.objects.filter(repository=source, manifest__digest=digest).select_related("manifest").first()
    if place is None:
        raise NotPlanned(_ABSENT)
    with transaction.atomic():
        repository = source if target.repository == source.name else _repository(source, target.repository)
        now_at = _points_to(repository, target.tag)
        is_itself = repository.pk == source.pk and target.tag == old_tag
        if now_at == digest and (is_itself or not old_tag):
            raise NotPlanned(_SAME)
        if now_at and now_at != digest and kind != Kind.REVERT:
            _refuse_protected(repository, target.tag)
        if old_tag:
            _refuse_protected(source, old_tag)
        params = {
            "kind": kind.value,
            "source": source.pk,
            "digest": digest,
            "attached": attached,
            "tag": target.tag,
            "old_tag": old_tag,
        }
        plan = new_plan(source.registry, Plan.Act.COPY, asked, params | {"revert": kind == Kind.REVERT})
        plan.repository = repository
        plan.save(update_fields=["repository"])
        items = [*_attachments(source, repository, place.manifest, attached=attached)]
        items.append(_put(repository, target.tag, now_at, digest))
        if old_tag:
            items.append(_delete(source, old_tag, digest))
        for position, item in enumerate(items):
            item.plan, item.position = plan, position
        PlanItem.objects.bulk_create(items)
    return plan


def _repository(source: Repository, name: str) -> Repository:
    """The row of another repository; one that is to come is gone until something is in it."""
    row, _ = Repository.objects.get_or_create(
        registry=source.registry,
        name=name,
        defaults={
            "name_key": name_key(name),
            "namespace": name.rpartition("/")[0],
            "gone_at": timezone.now(),
        },
    )
    return row


def _points_to(repository: Repository, tag: str) -> str:
    live = Tag.objects.live().filter(repository=repository, name=tag)
    return live.values_list("presence__manifest__digest", flat=True).first() or ""


def _refuse_protected(repository: Repository, tag: str) -> None:
    for why in protected_among(repository, [tag]).values():
        raise NotPlanned(_KEPT % {"tag": tag, "why": why})


def _attachments(
    source: Repository, repository: Repository, manifest: Manifest, *, attached: bool
) -> Iterable[PlanItem]:
    """Signatures and the like come before the tag, so that nobody ever finds it without them."""
    if not attached or source.pk == repository.pk:
        return
    families = Families(source, [manifest.digest])
    for part in families.attached:
        digest = families.known[part.manifest_id].digest
        yield _put(repository, part.tag, _points_to(repository, part.tag) if part.tag else "", digest)


def _put(repository: Repository, tag: str, now_at: str, digest: str) -> PlanItem:
    step = PlanItem.Step.PUT_TAG if tag else PlanItem.Step.PUT_MANIFEST
    return PlanItem(step=step, repository=repository, tag=tag, digest=now_at, target=digest)


def _delete(repository: Repository, tag: str, digest: str) -> PlanItem:
    if not Tag.objects.live().filter(repository=repository, name=tag, presence__manifest__digest=digest).exists():
        raise NotPlanned(_NO_TAG)
    return PlanItem(step=PlanItem.Step.DELETE_TAG, repository=repository, tag=tag, digest=digest)
