"""Making plans to delete: what goes, what stays because it shares the digest, what holds it, and what that frees."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from catalog.freeing import freed_by
from catalog.models import IndexEntry, Manifest, Presence, Repository, Tag
from catalog.policy import MAX_DEPTH
from catalog.recording.chunks import by_number
from catalog.rows import select
from oci.errors import printable
from registries.models import Registry
from tagging.holders import holders, present_in
from tagging.models import Plan, PlanItem, PlannedImage
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

_NAMED: Final = 12  # tags that stay, and indexes that hold it, that a plan names of one image
_WHY_LENGTH: Final = 1_000
_BATCH: Final = 500
_NOTHING: Final = gettext_noop("None of these tags is there any more: there is nothing to delete.")
_NO_IMAGE: Final = gettext_noop("None of these images is there any more: there is nothing to delete.")
_NOTHING_THERE: Final = gettext_noop("The repository is empty: there is nothing to delete.")
_NO_FOLDER: Final = gettext_noop("Its storage folder is not named, and the API has no way to remove a repository.")
_NOT_EMPTY: Final = gettext_noop("Only an empty repository can be removed: delete what is in it first.")
SENTENCES: Final = (_NO_FOLDER, _NOT_EMPTY, _NOTHING, _NO_IMAGE, _NOTHING_THERE)


class NotPlanned(Exception):  # noqa: N818  it says what there is not, for people
    """What was chosen is not there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants a plan, why, and by which key of theirs they would know it again ("" for none).

    `request` is a digest of what they asked for by that key.
    """

    person: User
    why: str = ""
    key: str = ""
    request: str = ""

    @property
    def actor(self) -> str:
        """As the audit calls them."""
        return str(self.person)


@dataclass(frozen=True, slots=True)
class AskedByRule:
    """The same, where nobody wants it but a rule that somebody has set up; `actor` is its name."""

    actor: str
    why: str
    person: None = None
    key: str = ""
    request: str = ""


def plan_tags(repository: Repository, names: Collection[str], asked: Asked) -> Plan:
    """Delete these tags and no others. Raises NotPermitted and NotPlanned."""
    check_may_act(asked.person, repository.registry)
    tags = _tags_where(repository, "name__in", names)
    if not tags:
        raise NotPlanned(_NOTHING)
    return _Draft(repository, Plan.Act.DELETE_TAGS, tags).write(asked)


def plan_tags_by_rule(repository: Repository, pointed: Mapping[str, str], actor: str, why: str) -> Plan:
    """Delete these tags, each only where it points to the digest beside it; a rule that somebody set up wants it.

    Raises NotPlanned.
    """
    tags = [tag for tag in _tags_where(repository, "name__in", list(pointed)) if _digest_of(tag) == pointed[tag.name]]
    if not tags or repository.registry.retired_at is not None:
        raise NotPlanned(_NOTHING)
    return _Draft(repository, Plan.Act.DELETE_TAGS, tags).write(AskedByRule(actor, why))


def plan_images(repository: Repository, digests: Collection[str], asked: Asked) -> Plan:
    """Delete these images with all their tags; what an index that stays lists loses its tags only.

    Raises NotPermitted and NotPlanned.
    """
    check_may_act(asked.person, repository.registry)
    places = _places(repository, digests)
    if not places:
        raise NotPlanned(_NO_IMAGE)
    tags = _tags_where(repository, "presence__in", [place.pk for place in places])
    return _Draft(repository, Plan.Act.DELETE_IMAGES, tags, places).write(asked)


def plan_repository(repository: Repository, asked: Asked) -> Plan:
    """Delete all that a repository holds, also what no tag reaches. Raises NotPermitted and NotPlanned."""
    check_may_act(asked.person, repository.registry)
    tags, places = list(Tag.objects.live().filter(repository=repository).in_order()), _places(repository)
    if not tags and not places:
        raise NotPlanned(_NOTHING_THERE)
    return _Draft(repository, Plan.Act.DELETE_REPOSITORY, tags, places).write(asked)


def plan_removal(repository: Repository, asked: Asked) -> Plan:
    """Remove the empty name from the registry's storage folder, for good. Raises NotPermitted and NotPlanned."""
    check_may_act(asked.person, repository.registry)
    if not repository.registry.storage:
        raise NotPlanned(_NO_FOLDER)
    if repository.gone_at is not None or Tag.objects.live().filter(repository=repository).exists():
        raise NotPlanned(_NOT_EMPTY)
    with transaction.atomic():
        plan = new_plan(repository.registry, Plan.Act.REMOVE_REPOSITORY, asked)
        plan.repository = repository
        plan.save(update_fields=["repository"])
        PlanItem.objects.create(plan=plan, position=0, step=PlanItem.Step.REMOVE_REPOSITORY, repository=repository)
    return plan


def new_plan(
    registry: Registry, act: Plan.Act, asked: Asked | AskedByRule, params: Mapping[str, Any] | None = None
) -> Plan:
    """The row of a plan, without its items."""
    return Plan.objects.create(
        registry=registry,
        act=act,
        name=secrets.token_hex(16),
        why=printable(asked.why, _WHY_LENGTH),
        params={**(params or {}), "request": asked.request},
        requested_by=asked.person,
        actor=asked.actor,
        idempotency_key=asked.key or None,
    )


def _tags_where(repository: Repository, condition: str, among: Iterable[object]) -> list[Tag]:
    live = Tag.objects.live().filter(repository=repository)
    found = [tag for piece in by_number(among, _BATCH) for tag in live.filter(**{condition: piece})]
    return sorted(found, key=lambda tag: bytes(tag.key))


def _places(repository: Repository, digests: Collection[str] | None = None) -> list[Presence]:
    """What is present, of these digests or at all."""
    places = Presence.objects.present().filter(repository=repository).select_related("manifest").order_by("pk")
    if digests is None:
        return list(places)
    return [place for piece in by_number(digests, _BATCH) for place in places.filter(manifest__digest__in=piece)]


class _Draft:
    """A plan before it is written: `tags` that go, and `places` whose manifests are to go too."""

    def __init__(
        self, repository: Repository, act: Plan.Act, tags: Sequence[Tag], places: Sequence[Presence] = ()
    ) -> None:
        self._repository, self._act, self._tags = repository, act, tags
        self._going = Counter(tag.presence_id for tag in tags)
        # Every presence that the plan touches, by its key.
        self._touched = {place.pk: place for place in (*_of_tags(tags), *places)}
        going = {place.manifest.digest for place in places}
        self._holders = holders(repository.pk, {place.manifest.digest for place in self._touched.values()}, going)
        self._doomed = _parents_first([place for place in places if place.manifest.digest not in self._holders])

    def write(self, asked: Asked | AskedByRule) -> Plan:
        """In short transactions. Until the last of them nobody finds the plan, by its key or otherwise."""
        losing = {pk: count for pk, count in self._going.items() if pk is not None}
        freed = freed_by(self._repository, losing, [place.manifest_id for place in self._doomed])
        plan = new_plan(self._repository.registry, self._act, replace(asked, key=""))
        for items in by_number(self._items(plan), _BATCH):
            PlanItem.objects.bulk_create(items)
        for images in by_number(self._images(plan), _BATCH):
            PlannedImage.objects.bulk_create(images)
        plan.repository, plan.idempotency_key = self._repository, asked.key or None
        plan.frees, plan.frees_is_exact = freed.size, freed.is_exact
        try:
            plan.save(update_fields=["repository", "idempotency_key", "frees", "frees_is_exact"])
        except IntegrityError:  # the same request came twice at once, and the other has made it
            plan.delete()
            raise
        return plan

    def _items(self, plan: Plan) -> list[PlanItem]:
        tags = [(PlanItem.Step.DELETE_TAG, tag.name, self._digest(tag)) for tag in self._tags]
        # What cannot be read first: where a registry reads all tags to delete one, it stands in the way of the others.
        tags.sort(key=lambda item: item[2] != "")
        manifests = [(PlanItem.Step.DELETE_MANIFEST, "", place.manifest.digest) for place in self._doomed]
        return [
            PlanItem(plan=plan, position=position, step=step, repository=self._repository, tag=tag, digest=digest)
            for position, (step, tag, digest) in enumerate([*tags, *manifests])
        ]

    def _digest(self, tag: Tag) -> str:
        """Nothing for what could not be read when it was last looked at: that is deleted whatever it is."""
        return "" if tag.presence_id is None or tag.problem else self._touched[tag.presence_id].manifest.digest

    def _images(self, plan: Plan) -> list[PlannedImage]:
        places = list(self._touched.values())
        stays, referrers, children = self._stays(), _referrers(self._repository, places), _children(places)
        rows = [
            PlannedImage(
                plan=plan,
                repository=self._repository,
                digest=place.manifest.digest,
                going=self._going[place.pk],
                staying=max(0, place.tag_count - self._going[place.pk]),
                stays=stays.get(place.pk, []),
                held_by=[asdict(index) for index in self._holders.get(place.manifest.digest, [])[:_NAMED]],
                referrers=referrers[place.manifest.digest],
                children=children[place.manifest_id],
            )
            for place in places
        ]
        if self._going[None]:
            rows.append(PlannedImage(plan=plan, repository=self._repository, going=self._going[None]))
        return rows

    def _stays(self) -> dict[int, list[str]]:
        """The first tags that stay, by the key of the presence."""
        going = {tag.name for tag in self._tags}
        partly = [place for place in self._touched.values() if place.tag_count > self._going[place.pk]]
        stays: dict[int, list[str]] = {}
        for piece in by_number(partly, _BATCH):
            most = _NAMED + max(self._going[place.pk] for place in piece)
            for tag in Tag.objects.live().first_of_each(piece, most):
                names = stays.setdefault(tag.presence_id or 0, [])
                if tag.name not in going and len(names) < _NAMED:
                    names.append(tag.name)
        return stays


def _digest_of(tag: Tag) -> str:
    return tag.presence.manifest.digest if tag.presence else ""


def _of_tags(tags: Iterable[Tag]) -> Iterable[Presence]:
    keys = sorted({tag.presence_id for tag in tags if tag.presence_id is not None})
    for piece in by_number(keys, _BATCH):
        yield from Presence.objects.filter(pk__in=piece).select_related("manifest")


def _parents_first(places: Sequence[Presence]) -> list[Presence]:
    """An index before what it lists, so that none is ever there without its parts."""
    by_manifest = {place.manifest_id: place for place in places}
    listed: dict[int, set[int]] = {}
    for index, child in select(IndexEntry, ("index_id", "child_id"), "index_id", by_manifest, "child_id IS NOT NULL"):
        if child in by_manifest and child != index:
            listed.setdefault(index, set()).add(child)
    ordered: dict[int, None] = {}
    level = set(by_manifest) - {child for children in listed.values() for child in children}
    for _ in range(MAX_DEPTH):
        for manifest in level:
            ordered.pop(manifest, None)
        ordered |= dict.fromkeys(sorted(level))
        level = {child for manifest in level for child in listed.get(manifest, ())}
    return [by_manifest[manifest] for manifest in (ordered | dict.fromkeys(sorted(set(by_manifest) - set(ordered))))]


def _referrers(repository: Repository, places: Sequence[Presence]) -> Counter[str]:
    """How many manifests in the repository say that they are attached to each digest."""
    digests = {place.manifest.digest for place in places}
    rows = select(Manifest, ("id", "subject"), "subject", digests, "subject <> ''")
    keys, there = {pk for pk, _ in rows}, present_in(repository.pk)
    here = {pk for (pk,) in select(Presence, ("manifest_id",), "manifest_id", keys, there)}
    return Counter(subject for pk, subject in rows if pk in here)


def _children(places: Sequence[Presence]) -> Counter[int]:
    indexes = [place.manifest_id for place in places if place.manifest.kind == Manifest.Kind.INDEX]
    rows = select(IndexEntry, ("index_id", "child_id"), "index_id", indexes, "child_id IS NOT NULL")
    return Counter(index for index, _ in set(rows))
