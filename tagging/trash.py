"""Keeping what goes: the raw manifests of an image with all below it and attached to it, before anything is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings

from catalog.models import Document, IndexEntry, Manifest, Presence, Repository, Tag
from catalog.policy import MAX_DEPTH
from catalog.reads.documents import unpacked
from catalog.rows import insert, select
from oci.model import MANIFEST_LIMIT
from tagging.models import KeptManifest, Plan, PlanItem, TrashEntry, TrashPart

_KEPT_COLUMNS: Final = ("digest", "media_type", "document_size", "compressed")
_MOST_PARTS: Final = 2_000  # manifests of one entry


class _Known(NamedTuple):
    """A manifest as the catalog has it."""

    id: int
    digest: str
    media_type: str
    kind: str
    document_size: int


_KNOWN_COLUMNS: Final = _Known._fields


class Part(NamedTuple):
    manifest_id: int
    role: TrashPart.Role
    tag: str = ""


@dataclass(slots=True)
class _Family:
    """What belongs to some images of one repository: what each lists, what is attached, and under which tag."""

    children: dict[int, list[int]] = field(default_factory=dict)
    attached: dict[str, list[Part]] = field(default_factory=dict)  # by the digest that they are attached to
    known: dict[int, _Known] = field(default_factory=dict)


def end_of_keeping(now: datetime) -> datetime:
    return now + timedelta(days=settings.TRASH_DAYS)


def keep(plan: Plan, items: Sequence[PlanItem], how: TrashEntry.How, now: datetime) -> set[str]:
    """Write an entry for each item that names a digest, inside the caller's transaction; a second time changes nothing.

    The items are of one repository. The digests whose bytes are kept now: what is not among them must not go.
    """
    named = [item for item in items if item.digest]
    if not named:
        return set()
    family = _family(named[0].repository, {item.digest for item in named})
    by_digest = {known.digest: known for known in family.known.values()}
    parts = {d: _parts(by_digest[d], family) for d in {item.digest for item in named} if d in by_digest}
    ids = _keep_documents(family.known, {part.manifest_id for listed in parts.values() for part in listed})
    sizes = _sizes(named[0].repository, by_digest)
    TrashEntry.objects.bulk_create(
        [
            TrashEntry(
                registry_id=plan.registry_id,
                repository=item.repository,
                tag=item.tag,
                digest=item.digest,
                kind=by_digest[item.digest].kind if item.digest in by_digest else "",
                size=sizes.get(item.digest, 0),
                how=how,
                who=plan.actor,
                why=plan.why,
                plan=plan,
                position=item.position,
                until=end_of_keeping(now),
            )
            for item in named
        ],
        ignore_conflicts=True,
    )
    entries = dict(
        TrashEntry.objects.filter(plan=plan, position__in=[item.position for item in named]).values_list(
            "position", "id"
        )
    )
    rows = []
    for item in named:
        listed = [part for part in parts.get(item.digest, ()) if part.manifest_id in ids]
        for position, part in enumerate(listed):
            rows.append((entries[item.position], position, ids[part.manifest_id], part.role.value, part.tag))
    insert(TrashPart, ("entry_id", "position", "manifest_id", "role", "tag"), rows)
    return {digest for digest in parts if by_digest[digest].id in ids}


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


def _family(repository: Repository, digests: Collection[str]) -> _Family:
    family = _Family()
    roots = _read(family, "digest", digests)
    _descend(repository, family, roots)
    _attach(repository, family, {known.digest for known in family.known.values()})
    return family


def _read(family: _Family, column: str, among: Collection[object]) -> set[int]:
    rows = [_Known._make(row) for row in select(Manifest, _KNOWN_COLUMNS, column, among)]
    family.known |= {known.id: known for known in rows}
    return {known.id for known in rows}


def _descend(repository: Repository, family: _Family, level: set[int]) -> None:
    there = f"gone_at IS NULL AND repository_id = {repository.pk:d}"
    for _ in range(MAX_DEPTH):
        indexes = [pk for pk in level if family.known[pk].kind == Manifest.Kind.INDEX and pk not in family.children]
        if not indexes:
            return
        entries = select(IndexEntry, ("index_id", "position", "child_id"), "index_id", indexes, "child_id IS NOT NULL")
        here = {pk for (pk,) in select(Presence, ("manifest_id",), "manifest_id", {row[2] for row in entries}, there)}
        for index, _position, child in sorted(entries):
            if child in here:
                family.children.setdefault(index, []).append(child)
        level = _read(family, "id", {child for _, _, child in entries if child in here})


def _attach(repository: Repository, family: _Family, digests: Collection[str]) -> None:
    """By their subject, and by the tags that tools make of a digest: `sha256-HEX` with or without an ending."""
    there = f"gone_at IS NULL AND repository_id = {repository.pk:d}"
    by_subject = select(Manifest, ("id", "subject"), "subject", digests, "subject <> ''")
    here = {pk for (pk,) in select(Presence, ("manifest_id",), "manifest_id", {pk for pk, _ in by_subject}, there)}
    found = [(subject, Part(pk, TrashPart.Role.REFERRER)) for pk, subject in by_subject if pk in here]
    found += _tagged(repository, digests)
    known = _read(family, "id", {part.manifest_id for _, part in found})
    _descend(repository, family, known)
    for digest, part in found:
        family.attached.setdefault(digest, []).append(part)


def _tagged(repository: Repository, digests: Collection[str]) -> list[tuple[str, Part]]:
    plain = {digest.replace(":", "-"): digest for digest in digests}
    names = [name + ending for name in plain for ending in ("", ".sig", ".att", ".sbom")]
    rows = Tag.objects.live().filter(repository=repository, name__in=names).exclude(presence=None)
    return [
        (plain[name.partition(".")[0]], Part(manifest, TrashPart.Role.REFERRER, name))
        for name, manifest in rows.values_list("name", "presence__manifest_id")
    ]


def _parts(root: _Known, family: _Family) -> list[Part]:
    """What lies below first, then the image itself, then what is attached to any of them, each in that order too."""
    parts: dict[tuple[int, str], Part] = {}

    def add(manifest: int, role: TrashPart.Role, tag: str, trail: frozenset[int]) -> None:
        if manifest in trail or len(parts) >= _MOST_PARTS:
            return
        for child in family.children.get(manifest, ()):
            below = role if role == TrashPart.Role.REFERRER else TrashPart.Role.CHILD
            add(child, below, "", trail | {manifest})
        parts.setdefault((manifest, tag), Part(manifest, role, tag))

    add(root.id, TrashPart.Role.ROOT, "", frozenset())
    for manifest, _tag in list(parts):
        for part in family.attached.get(family.known[manifest].digest, ()):
            add(part.manifest_id, part.role, part.tag, frozenset())
    return list(parts.values())


def _keep_documents(known: Mapping[int, _Known], wanted: Collection[int]) -> dict[int, int]:
    """The ids of what is kept, by those of the catalog; what was never read is among them where it was fetched."""
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
    return dict(select(KeptManifest, ("digest", "id"), "digest", set(digests)))


def _sizes(repository: Repository, by_digest: Mapping[str, _Known]) -> dict[str, int]:
    here = f"repository_id = {repository.pk:d}"
    ids = {known.id: digest for digest, known in by_digest.items()}
    return {ids[pk]: size for pk, size in select(Presence, ("manifest_id", "size"), "manifest_id", ids, here)}
