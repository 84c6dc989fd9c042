"""What is attached to an image: signatures, attestations, SBOMs. That they are there, never that they are true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from catalog.models import IndexEntry, Manifest, Repository, Tag
from catalog.reads.variants import Listed

MOST: Final = 50
# How cosign names what it attaches: the digest as a tag. Without an ending it is the referrers tag of the OCI spec.
_ENDINGS: Final = {
    ".sig": Manifest.Kind.SIGNATURE,
    ".att": Manifest.Kind.ATTESTATION,
    ".sbom": Manifest.Kind.SBOM,
    "": Manifest.Kind.INDEX,
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """`platform` is set where it is about one image of an index; `tag` where it is found by a tag."""

    kind: str
    digest: str
    artifact_type: str = ""
    tag: str = ""
    platform: str = ""

    @property
    def label(self) -> str:
        return str(Manifest.Kind(self.kind).label)


def attachments_of(repository: Repository, digests: Sequence[str], listed: Listed) -> list[Attachment]:
    """Of the image and the variant that is shown. Two queries besides what the index lists itself."""
    found = [*_listed(listed, digests), *_referrers(repository, digests), *_tagged(repository, digests)]
    return list({attachment.digest: attachment for attachment in reversed(found)}.values())[::-1][:MOST]


def _listed(listed: Listed, digests: Sequence[str]) -> Iterable[Attachment]:
    platforms = {variant.entry.digest: variant.label for variant in listed.variants}
    for entry in listed.attestations:
        if not entry.attests or entry.attests in digests:
            yield _from_entry(entry, platforms.get(entry.attests, ""))


def _from_entry(entry: IndexEntry, platform: str) -> Attachment:
    artifact_type = entry.child.artifact_type if entry.child else ""
    return Attachment(Manifest.Kind.ATTESTATION, entry.digest, artifact_type=artifact_type, platform=platform)


def _referrers(repository: Repository, digests: Sequence[str]) -> Iterable[Attachment]:
    referrers = Manifest.objects.filter(
        subject__in=digests, presences__repository=repository, presences__gone_at=None
    ).order_by("pk")
    for manifest in referrers[:MOST]:
        yield Attachment(manifest.kind, manifest.digest, artifact_type=manifest.artifact_type)


def _tagged(repository: Repository, digests: Sequence[str]) -> Iterable[Attachment]:
    names = {f"{digest.replace(':', '-')}{ending}": kind for digest in digests for ending, kind in _ENDINGS.items()}
    tags = Tag.objects.live().filter(repository=repository, name__in=names).exclude(presence=None)
    for tag in tags.select_related("presence__manifest").order_by("key"):
        manifest = tag.presence.manifest if tag.presence else None
        if manifest and names[tag.name] != Manifest.Kind.INDEX:
            yield Attachment(names[tag.name], manifest.digest, artifact_type=manifest.artifact_type, tag=tag.name)
