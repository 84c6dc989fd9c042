"""What the newest image of a repository says of itself, where no person here has written a README."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from django.db.models import QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalog.models import IndexEntry, Manifest, Repository
from catalog.reads.documents import unpacked
from catalog.reads.pairs import Cut
from oci.config import CONFIG_LIMIT, parse_config
from oci.errors import BadAnswer
from oci.model import MANIFEST_LIMIT, Schema1Manifest, parse_manifest

_PREFIX: Final = "org.opencontainers.image."
_LONGEST: Final = {"title": 200, "description": 1_000, "url": 2_000, "source": 2_000, "documentation": 2_000}
_READ: Final = (
    *("kind", "media_type", "problem", "config_state", "document__compressed"),
    *("config__id", "config__config_document__compressed"),
)


@dataclass(frozen=True, slots=True)
class Introduction:
    """Texts of a stranger, each cut; an empty one was not said. The last three may be web addresses."""

    title: Cut
    description: Cut
    url: Cut
    source: Cut
    documentation: Cut

    @classmethod
    def of(cls, said: Mapping[str, str]) -> Self | None:
        texts = {name: Cut.of(said.get(_PREFIX + name, "").strip(), most) for name, most in _LONGEST.items()}
        return cls(**texts) if any(cut.text for cut in texts.values()) else None


def introduction_of(repository: Repository) -> Introduction | None:
    """Of its newest image; of an index what the first image in it says stands behind what the index says. One query.

    What stands nearer to the person who pulls goes first: the annotations of the index, those of the image, its labels.
    """
    if repository.newest is None:
        return None
    said: dict[str, str] = {}
    pages = sorted(_manifests(repository.newest.manifest_id), key=lambda row: row.kind != Manifest.Kind.INDEX)
    for manifest in pages:
        said = {**_labels(manifest), **_annotations(manifest), **said}
    return Introduction.of(said)


def _manifests(newest: int) -> QuerySet[Manifest]:
    listed = IndexEntry.objects.filter(index=newest, role=IndexEntry.Role.PLATFORM).exclude(child=None)
    first = Subquery(listed.order_by("position").values("child")[:1])
    rows = Manifest.objects.filter(pk__in=[newest, Coalesce(first, newest)])  # an "or" would have no index
    return rows.select_related("document", "config__config_document").only(*_READ)


def _annotations(manifest: Manifest) -> Mapping[str, str]:
    if manifest.problem or not hasattr(manifest, "document"):
        return {}
    try:
        document = parse_manifest(manifest.media_type, unpacked(manifest.document.compressed, MANIFEST_LIMIT))
    except BadAnswer:
        return {}
    return {} if isinstance(document, Schema1Manifest) else document.annotations


def _labels(manifest: Manifest) -> Mapping[str, str]:
    config = manifest.config
    if config is None or manifest.config_state != Manifest.ConfigState.READ or not hasattr(config, "config_document"):
        return {}
    try:
        return parse_config(unpacked(config.config_document.compressed, CONFIG_LIMIT)).labels
    except BadAnswer:
        return {}
