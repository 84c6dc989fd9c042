"""What is attached to an image: signatures, attestations, SBOMs. That they are there, never that they are true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value

from catalog.models import Manifest, Presence, Repository, Tag
from catalog.reads.saying import NOTHING, Saying
from catalog.reads.variants import Listed

MOST: Final = 50
_DOCUMENTS: Final = 2**20  # bytes of their documents that are read for a page
# How cosign names what it attaches: the digest as a tag. Without an ending it is the referrers tag of the OCI spec.
_ENDINGS: Final = {
    ".sig": Manifest.Kind.SIGNATURE,
    ".att": Manifest.Kind.ATTESTATION,
    ".sbom": Manifest.Kind.SBOM,
}
_COLUMNS: Final = ("pk", "digest", "kind", "artifact_type", "size", "document_size", "subject")


@dataclass(frozen=True, slots=True)
class Attachment:
    """`platform` is set where it is about one image of an index; `tag` where it is found by a tag.

    `manifest_id` is None, and `kind` a guess, where no scan ever saw it; it may also be missing only here.
    """

    kind: str
    digest: str
    artifact_type: str = ""
    tag: str = ""
    platform: str = ""
    manifest_id: int | None = None
    size: int = 0  # bytes of what it holds
    document_size: int = 0
    is_here: bool = True
    says: Saying = NOTHING

    @property
    def label(self) -> str:
        return self.says.name or str(Manifest.Kind(self.kind).label)


def attachments_of(repository: Repository, digests: Sequence[str], listed: Listed) -> list[Attachment]:
    """Of the image and the variant that is shown. One query besides what the index lists itself."""
    platforms = {variant.entry.digest: variant.label for variant in listed.variants}
    found = [*_listed(listed, digests, platforms), *_found(repository, digests, platforms)]
    # One that is found twice is told by where it was found first, and it is here if it is here by any way.
    once: dict[str, Attachment] = {}
    for attachment in found:
        known = once.setdefault(attachment.digest, attachment)
        if attachment.is_here and not known.is_here:
            once[attachment.digest] = attachment
    return list(once.values())[:MOST]


def readable(attachments: Iterable[Attachment]) -> list[int]:
    """The ids of those whose documents a page can bear to read."""
    left, ids = _DOCUMENTS, []
    for attachment in attachments:
        left -= attachment.document_size
        if attachment.manifest_id is not None and left >= 0:
            ids.append(attachment.manifest_id)
    return ids


def with_sayings(attachments: Iterable[Attachment], documents: Mapping[int, bytes]) -> list[Attachment]:
    """Each with what its document says, where that is among `documents`."""
    return [replace(a, says=Saying.of(a.artifact_type, documents.get(a.manifest_id or 0, b""))) for a in attachments]


def _listed(listed: Listed, digests: Sequence[str], platforms: Mapping[str, str]) -> Iterable[Attachment]:
    for attestation in listed.attestations:
        entry, child = attestation.entry, attestation.child
        if entry.attests and entry.attests not in digests:
            continue
        yield Attachment(
            Manifest.Kind.ATTESTATION,
            entry.digest,
            artifact_type=child.artifact_type if child else "",
            platform=platforms.get(entry.attests, ""),
            manifest_id=child.pk if child else None,
            size=child.size if child else 0,
            document_size=child.document_size if child else 0,
            is_here=attestation.is_here,
        )


def _found(repository: Repository, digests: Sequence[str], platforms: Mapping[str, str]) -> Iterable[Attachment]:
    """By their subject, by the tags that cosign makes, and in the index under the referrers tag."""
    plain = {digest.replace(":", "-"): digest for digest in digests}
    names = {f"{name}{ending}": kind for name in plain for ending, kind in _ENDINGS.items()}
    tags = Tag.objects.live().filter(repository=repository).exclude(presence=None).order_by()
    by_tag = _rows(tags.filter(name__in=names), "presence__manifest__", "name")
    by_index = _by_index(tags.filter(name__in=plain), repository)
    every = _by_subject(repository, digests).union(by_tag, by_index, all=True)
    for pk, digest, kind, artifact_type, size, document_size, subject, tag, listed, is_here in every[: 2 * MOST]:
        about = subject or plain.get(tag.partition(".")[0], "")
        yield Attachment(
            names.get(tag) or kind or Manifest.Kind.ARTIFACT,
            digest or listed,
            artifact_type=artifact_type or "",
            tag=tag if tag in names else "",
            platform=platforms.get(about, ""),
            manifest_id=pk,
            size=size or 0,
            document_size=document_size or 0,
            is_here=bool(is_here),
        )


def _by_subject(repository: Repository, digests: Sequence[str]) -> QuerySet[Any, Any]:
    # Without the empty ones, as the index on subjects says it: else it is not taken.
    referrers = Manifest.objects.filter(subject__in=digests).exclude(subject="").order_by()
    return _rows(Presence.objects.present().filter(repository=repository, manifest__in=referrers), "manifest__", "")


def _by_index(tags: QuerySet[Tag], repository: Repository) -> QuerySet[Any, Any]:
    """What the index under a referrers tag lists, though it may not say of itself what it is about."""
    here = Presence.objects.present().filter(repository=repository, manifest=OuterRef(f"{_ENTRY}child"))
    rows = tags.filter(presence__manifest__entries__isnull=False).annotate(is_here=Exists(here))
    return _rows(rows, f"{_ENTRY}child__", "name", f"{_ENTRY}digest")


_ENTRY: Final = "presence__manifest__entries__"


def _rows(rows: QuerySet[Any], manifest: str, tag: str, listed: str = "") -> QuerySet[Any, Any]:
    """Columns that are the same for each way to find something, so that one query can go all ways."""
    nothing = Value("", output_field=CharField())
    rows = rows.annotate(found_tag=nothing) if not tag else rows
    rows = rows.annotate(found_digest=nothing, is_here=Value(value=True)) if not listed else rows
    columns = [f"{manifest}{column}" for column in _COLUMNS]
    return rows.values_list(*columns, tag or "found_tag", listed or "found_digest", "is_here")
