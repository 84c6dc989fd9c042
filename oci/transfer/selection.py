"""Which platforms of an index are copied, and what then stands under the tag."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from oci.errors import BadAnswer
from oci.fetched import Fetched
from oci.model import Descriptor, ImageIndex, Platform
from oci.names import Digest

if TYPE_CHECKING:
    from collections.abc import Collection


class Form(StrEnum):
    """What is made of an index of which some platforms are wanted."""

    REWRITTEN = "rewritten"  # an index of those alone: its digest is another, and signatures of the old are not its own
    CHILD = "child"  # the one image itself
    SPARSE = "sparse"  # the index as it is, of which some images are not there: few registries take it


@dataclass(frozen=True, slots=True)
class Selection:
    """`platforms` as "linux/arm64" or "linux/arm/v7"; none of them: all. `attestations`: BuildKit's, in an index."""

    platforms: tuple[str, ...] = ()
    form: Form = Form.REWRITTEN
    attestations: bool = True

    @property
    def key(self) -> str:
        """Of what it makes of an index: two that have the same make the same; "" where all is copied as it is."""
        if not self.platforms and self.attestations:
            return ""
        text = f"{self.form} {' '.join(sorted(self.platforms))} {self.attestations}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def wanted(self, index: ImageIndex) -> tuple[Descriptor, ...]:
        """The children to copy, in their order. What has no platform is no image to choose from, and goes along."""
        images = [
            child
            for child in index.manifests
            if not child.is_attestation and (not self.platforms or self._is_wanted(child.platform))
        ]
        kept = {child.digest for child in images}
        return tuple(
            child
            for child in index.manifests
            if child in images or (child.is_attestation and self.attestations and self._attests(child, kept))
        )

    def keeps_all(self, index: ImageIndex) -> bool:
        return len(self.wanted(index)) == len(index.manifests)

    def _is_wanted(self, platform: Platform | None) -> bool:
        if platform is None:
            return True
        named = str(platform)
        return any(named == wanted or _is_default_of(named, wanted) for wanted in self.platforms)

    def _attests(self, child: Descriptor, kept: Collection[Digest]) -> bool:
        return not self.platforms or child.attests in kept


def _is_default_of(named: str, wanted: str) -> bool:
    """linux/arm64/v8 is what linux/arm64 means (containerd, "platforms": normalisation)."""
    return {named, wanted} in ({"linux/arm64", "linux/arm64/v8"}, {"linux/arm", "linux/arm/v7"})


def rewritten(index: Fetched, wanted: Collection[Descriptor]) -> Fetched:
    """The index with these children alone, all else of it as it was; the same children make the same bytes.

    Raises BadAnswer where none is left.
    """
    if not wanted:
        raise BadAnswer("it has none of the platforms that were asked for")
    document: dict[str, Any] = json.loads(index.content)
    kept = {str(child.digest) for child in wanted}
    document["manifests"] = [child for child in document["manifests"] if child["digest"] in kept]
    content = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Fetched(Digest.of(content), index.media_type, content)
