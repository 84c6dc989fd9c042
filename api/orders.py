"""What may be asked of a plan: each act with what it takes, and the plan that comes of it, once for each key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from django.db import IntegrityError
from ninja import Header, Schema
from pydantic import ConfigDict, Field

from access.models import User
from api.parameters import DigestParameter, RepositoryParameter, RowId, TagParameter, Text
from api.problems import ParameterError, Refusal
from catalog.models import Repository, Tag
from oci.names import RepositoryName, TagName
from tagging.models import Plan, TrashEntry
from tagging.planning import Asked, NotPlanned, plan_images, plan_repository, plan_tags
from tagging.planning_copies import Kind, Target, plan_copy
from tagging.planning_restores import plan_restore

MOST: Final = 10_000  # tags, digests or entries of one plan
LONGEST_WHY: Final = 1_000

Act = Literal["delete-tags", "delete-images", "delete-repository", "restore", "retag", "copy", "rename", "roll-back"]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="A name of your own for this request: sent again with it, the request makes no second plan.",
        pattern=r"^[\x20-\x7e]{1,128}$",
    ),
]
Why = Annotated[str, Field(max_length=LONGEST_WHY, description="Why: it is kept with what is done.")]
Entries = Annotated[list[RowId], Field(min_length=1, max_length=MOST, description="Ids of what is in the trash.")]
Replace = Annotated[
    bool, Field(description="Restore over a tag that points elsewhere by now, which goes to the trash first.")
]


class Order(Schema):
    """The body of a request: what it does not know it refuses, since a script would not notice."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TargetOrder(Order):
    repository: RepositoryParameter | None = Field(default=None, description="Of copy: where to, in this registry.")
    tag: TagParameter = Field(description="The tag that is to point to the image.")


class PlanOrder(Order):
    """What is to be planned. Which of the fields an act takes, its words say; it refuses the others."""

    act: Act
    registry: Text | None = Field(default=None, description="Of all but restore.", examples=["local"])
    repository: RepositoryParameter | None = Field(
        default=None, description="Of all but restore.", examples=["team/app"]
    )
    tags: list[TagParameter] | None = Field(default=None, min_length=1, max_length=MOST, description="Of delete-tags.")
    digests: list[DigestParameter] | None = Field(
        default=None, min_length=1, max_length=MOST, description="Of delete-images: these, with all their tags."
    )
    entries: Entries | None = Field(default=None, description="Of restore: ids of what is in the trash.")
    tag: TagParameter | None = Field(
        default=None,
        description="Of retag and copy: the image by its tag. Of rename: the tag that goes. Of roll-back: that moves.",
    )
    digest: DigestParameter | None = Field(
        default=None, description="Of retag and copy: the image by its digest, in place of tag. Of roll-back: where to."
    )
    target: TargetOrder | None = Field(default=None, description="Of retag, copy and rename: the new tag.")
    attached: bool = Field(default=False, description="Of copy: take along what is attached, as signatures are.")
    replace: Replace = False
    why: Why = ""


@dataclass(frozen=True, slots=True)
class _Takes:
    """The fields that an act needs, those it may have, and those of which it needs just one."""

    needs: frozenset[str]
    may: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()


_PLACE: Final = frozenset({"registry", "repository"})
_SOURCE: Final = frozenset({"tag", "digest"})
_ACTS: Final[Mapping[Act, _Takes]] = {
    "delete-tags": _Takes(_PLACE | {"tags"}),
    "delete-images": _Takes(_PLACE | {"digests"}),
    "delete-repository": _Takes(_PLACE),
    "restore": _Takes(frozenset({"entries"}), frozenset({"replace"})),
    "retag": _Takes(_PLACE | {"target"}, one_of=_SOURCE),
    "copy": _Takes(_PLACE | {"target"}, frozenset({"attached"}), _SOURCE),
    "rename": _Takes(_PLACE | {"target", "tag"}),
    "roll-back": _Takes(_PLACE | {"tag", "digest"}),
}


def plan_once(order: PlanOrder, person: User, key: str | None) -> tuple[Plan, bool]:
    """The plan for this order, and whether it is new: what was asked by the same key is known again.

    Raises Refusal, NotPermitted and NotPlanned.
    """
    _check(order)
    # Only a digest of the key: it is of any length with the person before it, and of no use to whoever reads the row.
    own = f"{person.pk}:{_digest(key)}" if key else ""
    request = _digest(order.model_dump_json())
    if own and (known := _known(own, request)):
        return known, False
    try:
        return _plan(order, Asked(person, order.why, own, request)), True
    except (IntegrityError, NotPlanned):
        # The same request came twice at once: the other one has made it, and perhaps carried it out.
        if own and (known := _known(own, request)):
            return known, False
        raise


def _known(own: str, request: str) -> Plan | None:
    plan = Plan.objects.filter(idempotency_key=own).first()
    if plan is not None and plan.param("request") != request:
        raise Refusal(409, "This Idempotency-Key was sent with another request: take a new one for a new request.")
    return plan


def _check(order: PlanOrder) -> None:
    """Raises Refusal, which names each field that is missing or has no meaning."""
    takes = _ACTS[order.act]
    given = {name for name in order.model_fields_set - {"act", "why"} if getattr(order, name) is not None}
    strange = given - takes.needs - takes.may - takes.one_of
    wrong = [ParameterError(parameter=name, detail=f"{order.act} needs it") for name in sorted(takes.needs - given)]
    wrong += [ParameterError(parameter=name, detail=f"{order.act} takes no such thing") for name in sorted(strange)]
    if takes.one_of and len(given & takes.one_of) != 1:
        wrong.append({"parameter": "tag", "detail": f"{order.act} needs either tag or digest"})
    if order.target and (order.target.repository is not None) != (order.act == "copy"):
        said = "copy needs it" if order.act == "copy" else f"{order.act} stays in its repository: copy does not"
        wrong.append({"parameter": "target.repository", "detail": said})
    if wrong:
        raise Refusal(422, errors=wrong)


def _plan(order: PlanOrder, asked: Asked) -> Plan:
    if order.act == "restore":
        return _plan_restore(order, asked)
    repository = _repository(order)
    if order.act == "delete-tags":
        return plan_tags(repository, set(order.tags or ()), asked)
    if order.act == "delete-images":
        return plan_images(repository, set(order.digests or ()), asked)
    if order.act == "delete-repository":
        return plan_repository(repository, asked)
    old_tag = (order.tag or "") if order.act == "rename" else ""
    return plan_copy(
        repository,
        order.digest or _points_to(repository, order.tag or ""),
        _target(order, repository),
        asked,
        kind=Kind(order.act),
        attached=order.attached,
        old_tag=old_tag,
    )


def _plan_restore(order: PlanOrder, asked: Asked) -> Plan:
    wanted = set(order.entries or ())
    entries = list(TrashEntry.objects.listed().filter(pk__in=wanted).select_related("registry"))
    if missing := sorted(wanted - {entry.pk for entry in entries}):
        raise Refusal(404, f"There is no entry {missing[0]} in the trash: it may have been restored, or forgotten.")
    registries = {entry.registry for entry in entries}
    if len(registries) > 1:
        raise Refusal.of("entries", "all of them have to be of one registry")
    return plan_restore(registries.pop(), entries, asked, replace=order.replace)


def _repository(order: PlanOrder) -> Repository:
    rows = Repository.objects.select_related("registry")
    row = rows.filter(registry__name=order.registry, name=order.repository).first()
    if row is None:
        raise Refusal(404, f"No scan has seen the repository {order.repository} in a registry of this name.")
    return row


def _points_to(repository: Repository, tag: str) -> str:
    live = Tag.objects.live().filter(repository=repository, name=tag)
    digest = live.values_list("presence__manifest__digest", flat=True).first()
    if not digest:
        raise Refusal(404, f"There is no tag {tag} in {repository.name} whose image is known.")
    return digest


def _target(order: PlanOrder, repository: Repository) -> Target:
    """A tag that rolls back is its own target."""
    tag = order.target.tag if order.target else order.tag or ""
    name = (order.target.repository if order.target else None) or repository.name
    return Target(RepositoryName(name), TagName(tag))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
