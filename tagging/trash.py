"""Keeping what goes: the raw manifests of an image with all below it and attached to it, before anything is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from catalog.models import Document, Presence, Repository
from catalog.models.repositories import LONG_AGO
from catalog.reads.documents import unpacked
from catalog.rows import insert, select
from oci.model import MANIFEST_LIMIT
from tagging.family import Families, Known
from tagging.models import KeptManifest, Plan, PlanItem, TrashEntry, TrashPart

KEEPS_GONE: Final = "keeps_gone"  # of a plan: parts of its images that no tag reaches any more are kept with them too
_KEPT_COLUMNS: Final = ("digest", "media_type", "document_size", "compressed")


@dataclass(frozen=True, slots=True)
class Going:
    """A tag of a digest, or a digest alone, that is about to go; `position` is that of its item."""

    tag: str
    digest: str
    position: int = 0


def end_of_keeping(now: datetime) -> datetime:
    return now + timedelta(days=settings.TRASH_DAYS)


def keep(plan: Plan, items: Sequence[PlanItem], how: TrashEntry.How, now: datetime) -> set[str]:
    """Write an entry for each item that names a digest, inside the caller's transaction; a second time changes nothing.

    The items are of one repository. The digests whose bytes are kept now: what is not among them must not go.
    """
    going = [Going(item.tag, item.digest, item.position) for item in items if item.digest]
    said = {"registry_id": plan.registry_id, "who": plan.actor, "why": plan.why, "plan": plan}
    since = LONG_AGO if plan.param(KEEPS_GONE) else None
    return (
        keep_images(items[0].repository, going, {**said, "how": how, "until": end_of_keeping(now)}, since)
        if going
        else set()
    )


def keep_images(
    repository: Repository, going: Sequence[Going], said: Mapping[str, Any], since: datetime | None = None
) -> set[str]:
    """The same for whatever goes; `said` are the other columns of the entries. For `since` see `Families`."""
    families = Families(repository, {one.digest for one in going}, since)
    parts = {digest: families.parts(digest) for digest in {one.digest for one in going}}
    ids = _keep_documents(families.known, {part.manifest_id for listed in parts.values() for part in listed})
    sizes = _sizes(repository, families.by_digest)
    entries = [
        TrashEntry(
            repository=repository,
            tag=one.tag,
            digest=one.digest,
            kind=families.by_digest[one.digest].kind if one.digest in families.by_digest else "",
            size=sizes.get(one.digest, 0),
            position=one.position,
            **said,
        )
        for one in going
    ]
    rows = []
    for entry in _written(entries):
        listed = [part for part in parts[entry.digest] if part.manifest_id in ids]
        rows += [
            (entry.pk, place, ids[part.manifest_id], part.role.value, part.tag) for place, part in enumerate(listed)
        ]
    insert(TrashPart, ("entry_id", "position", "manifest_id", "role", "tag"), rows)
    return {d for d in parts if d in families.by_digest and families.by_digest[d].id in ids}


def _written(entries: Sequence[TrashEntry]) -> Iterable[TrashEntry]:
    """These entries with their keys; of a plan, those that are there already stay as they are."""
    plan = entries[0].plan
    if plan is None:
        for entry in entries:
            entry.save()
        return entries
    TrashEntry.objects.bulk_create(entries, ignore_conflicts=True)
    return TrashEntry.objects.filter(plan=plan, position__in=[entry.position for entry in entries])


@dataclass(frozen=True, slots=True)
class Kept:
    """A manifest as it is kept: the very bytes that its digest is of."""

    digest: str
    media_type: str
    content: bytes

    @classmethod
    def of(cls, row: KeptManifest) -> Kept:
        return cls(row.digest, row.media_type, unpacked(row.compressed, MANIFEST_LIMIT))


def root_of(plan: Plan, item: PlanItem) -> Kept | None:
    """The image that an item of a plan deletes, where it is kept."""
    mine = {"entry__plan": plan, "entry__position": item.position, "role": TrashPart.Role.ROOT}
    part = TrashPart.objects.filter(**mine).select_related("manifest").first()
    return Kept.of(part.manifest) if part else None


@dataclass(frozen=True, slots=True)
class KeptPart:
    kept: Kept
    role: TrashPart.Role
    tag: str  # under which it was found, if it is attached by a tag


def parts_of(entry: TrashEntry) -> list[KeptPart]:
    """All that an entry needs, in the order in which it is put back."""
    rows = entry.parts.select_related("manifest").order_by("position")
    return [KeptPart(Kept.of(row.manifest), TrashPart.Role(row.role), row.tag) for row in rows]


def _keep_documents(known: Mapping[int, Known], wanted: Collection[int]) -> dict[int, int]:
    """The ids of what is kept, by those of the catalog; what it never read is not among them."""
    kept = _kept(known[pk].digest for pk in wanted)
    missing = [pk for pk in wanted if known[pk].digest not in kept]
    documents = select(Document, ("manifest_id", "compressed"), "manifest_id", missing)
    rows = [
        (known[pk].digest, known[pk].media_type, known[pk].document_size, compressed) for pk, compressed in documents
    ]
    insert(KeptManifest, _KEPT_COLUMNS, rows)
    kept |= _kept(row[0] for row in rows)
    return {pk: kept[known[pk].digest] for pk in wanted if known[pk].digest in kept}


def _kept(digests: Iterable[str]) -> dict[str, int]:
    return dict(select(KeptManifest, ("digest", "id"), "digest", set(digests), keep=True))


def _sizes(repository: Repository, by_digest: Mapping[str, Known]) -> dict[str, int]:
    here = f"repository_id = {repository.pk:d}"
    ids = {known.id: digest for digest, known in by_digest.items()}
    return {ids[pk]: size for pk, size in select(Presence, ("manifest_id", "size"), "manifest_id", ids, here)}
