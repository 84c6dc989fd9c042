"""An image as a page shows it: from rows and documents alone, never from the registry.

Everything in it was written by whoever pushed the image. Lists and texts are cut to what a page can bear, and
what cannot be read is said, not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from catalog.artifact_types import ArtifactType, type_of
from catalog.known_names import BASE_NAME
from catalog.models import Manifest, Presence
from catalog.reads.attached import Attachment, attachments_of, readable, with_sayings
from catalog.reads.dockerfile import Piece, dockerfile_of
from catalog.reads.documents import Contents, contents_of
from catalog.reads.elsewhere import Places, places_of
from catalog.reads.history import Layer, Step, fits, layers_of, pair
from catalog.reads.pairs import Pairs
from catalog.reads.sharing import sharing_of
from catalog.reads.variants import Listed, Variant, list_index
from oci.chart import Chart, parse_chart
from oci.config import ImageConfig, parse_config
from oci.errors import BadAnswer
from oci.media_types import ACCEPTED
from oci.model import Descriptor, ImageIndex, ImageManifest, parse_manifest
from oci.model import Manifest as ManifestValue

MOST_LAYERS: Final = 200
MOST_STEPS: Final = 200
_LONGEST_VALUE: Final = 1_000
_LAYERED: Final = frozenset({Manifest.Kind.IMAGE, Manifest.Kind.INDEX, Manifest.Kind.SCHEMA1, Manifest.Kind.MALFORMED})


@dataclass(frozen=True)
class Image:
    """A manifest in a repository; of an index, the variant that was chosen is `shown`."""

    presence: Presence
    listed: Listed
    variant: Variant | None
    shown: Manifest | None  # the manifest whose layers are on the page; None where the variant was never seen
    document: ManifestValue | None  # of `shown`
    document_problem: str = ""
    index_document: ImageIndex | None = None
    config: ImageConfig | None = None
    chart: Chart | None = None
    config_problem: str = ""
    attachments: list[Attachment] = field(default_factory=list)

    @property
    def manifest(self) -> Manifest:
        return self.presence.manifest

    @property
    def is_index(self) -> bool:
        return self.manifest.kind == Manifest.Kind.INDEX

    @property
    def config_is_unread(self) -> bool:
        return bool(self.shown and self.shown.config_state == Manifest.ConfigState.UNREAD)

    @property
    def _descriptors(self) -> tuple[Descriptor, ...]:
        """Its layers; of an index that lists blobs instead of manifests, as old build caches do, those."""
        if isinstance(self.document, ImageManifest):
            return self.document.layers
        if self.index_document and self.listed.others and not self.listed.variants:
            return tuple(one for one in self.index_document.manifests if one.media_type not in ACCEPTED)
        return ()

    @property
    def layer_count(self) -> int:
        return len(self._descriptors)

    @property
    def layers_size(self) -> int:
        """Bytes of all its layers, each blob once."""
        return sum({layer.digest: layer.size for layer in self._descriptors}.values())

    @cached_property
    def artifact(self) -> ArtifactType | None:
        """What people call it, where it is no image."""
        types = {descriptor.media_type for descriptor in self._descriptors}
        if self.is_index and self.shown is None:
            cache = next((kind for name in types if (kind := type_of(name))), None)
            return type_of(self.manifest.artifact_type) or cache
        if self.shown is None or self.shown.kind == Manifest.Kind.SCHEMA1:
            return None
        said = self.annotations_said
        return type_of(self.shown.artifact_type, types, said) if said or self.holds_files else None

    @property
    def holds_files(self) -> bool:
        """What an artifact holds are no layers that lie on each other."""
        if self.shown is None:
            return bool(self._descriptors)
        return self.shown.kind not in _LAYERED

    @property
    def history_fits(self) -> bool:
        return not self.config or not self.config.history or fits(self.config.history, self.layer_count)

    @cached_property
    def layers(self) -> list[Layer]:
        """The first of them, with who else uses each: one query."""
        first = self._descriptors[:MOST_LAYERS]
        if not first:
            return []
        digests, gone = {str(layer.digest) for layer in first}, self.presence.gone_at is not None
        return layers_of(first, sharing_of(digests, self.presence.repository, gone=gone))

    @property
    def more_layers(self) -> int:
        return self.layer_count - len(self.layers)

    @cached_property
    def steps(self) -> list[Step]:
        """The first of them; an image without a history has a step for each layer."""
        history = self.config.history if self.config else ()
        return pair(history[:MOST_STEPS], self.layers, longest=_LONGEST_VALUE)[:MOST_STEPS]

    @property
    def more_steps(self) -> int:
        """Steps that are not shown, at least."""
        history = len(self.config.history) if self.config else 0
        return max(0, max(history, self.layer_count) - len(self.steps))

    @property
    def largest_layer(self) -> int:
        return max((layer.size for layer in self.layers), default=0)

    @property
    def shared_size(self) -> int:
        return sum({layer.digest: layer.size for layer in self.layers if layer.sharing.is_shared}.values())

    @property
    def own_size(self) -> int:
        return sum({layer.digest: layer.size for layer in self.layers if not layer.sharing.is_shared}.values())

    @cached_property
    def labels(self) -> Pairs:
        return Pairs.of(self.config.labels.items() if self.config else ())

    @cached_property
    def environment(self) -> Pairs:
        """NAME=value each; what has no `=` is a name without a value."""
        variables = self.config.env if self.config else ()
        return Pairs.of((name, value) for name, _, value in (text.partition("=") for text in variables))

    @cached_property
    def annotations_said(self) -> Mapping[str, str]:
        """Of the manifest that is shown; of the index where both say something."""
        said: dict[str, str] = {}
        for document in (self.document, self.index_document):
            if isinstance(document, ImageManifest | ImageIndex):
                said |= document.annotations
        return said

    @cached_property
    def annotations(self) -> Pairs:
        return Pairs.of(self.annotations_said.items())

    @cached_property
    def elsewhere(self) -> Places:
        """Where else the same manifest is: one query."""
        return places_of(self.presence)

    def dockerfile(self) -> list[Piece]:
        """Told back from the history; none where the config tells no history."""
        if not self.config or not self.config.history:
            return []
        labels = self.config.labels
        base = labels.get(BASE_NAME) or self.annotations_said.get(BASE_NAME, "")
        digest = self.shown.digest if self.shown else self.manifest.digest
        return dockerfile_of(self.config.history, f"{self.presence.repository.name}@{digest}", base)


def read_image(presence: Presence, platform: str = "", *, with_variant: bool = True) -> Image:
    """The image of `presence`, and of an index the variant named `platform`. Four queries at most, with `layers`.

    Without a variant an index is what it lists, and no more.
    """
    manifest = presence.manifest
    is_index = manifest.kind == Manifest.Kind.INDEX
    listed = list_index(manifest, presence.repository, gone=presence.gone_at is not None) if is_index else Listed()
    variant = listed.choose(platform) if with_variant else None
    shown = manifest if not is_index else variant.child if variant and variant.is_here else None
    whole = [manifest] if shown in {None, manifest} else [manifest, shown]
    attachments = attachments_of(presence.repository, [one.digest for one in whole if one], listed)
    contents = contents_of([*(one.pk for one in whole if one), *readable(attachments)], shown)
    document, document_problem = _parse(shown, contents) if shown else (None, "")
    index_document = _parse(manifest, contents)[0] if is_index else None
    config, chart, config_problem = _read_config(shown, contents)
    return Image(
        presence=presence,
        listed=listed,
        variant=variant,
        shown=shown,
        document=document,
        document_problem=document_problem,
        index_document=index_document if isinstance(index_document, ImageIndex) else None,
        config=config,
        chart=chart,
        config_problem=config_problem,
        attachments=with_sayings(attachments, contents.documents),
    )


def _parse(manifest: Manifest, contents: Contents) -> tuple[ManifestValue | None, str]:
    if manifest.problem or manifest.pk not in contents.documents:
        return None, manifest.problem
    try:
        return parse_manifest(manifest.media_type, contents.documents[manifest.pk]), ""
    except BadAnswer as error:
        return None, str(error)


def _read_config(manifest: Manifest | None, contents: Contents) -> tuple[ImageConfig | None, Chart | None, str]:
    """As the config of an image, or as that of a chart; and why it cannot be read."""
    if manifest is None or manifest.config_state != Manifest.ConfigState.READ:
        return None, None, manifest.config_problem if manifest else ""
    if contents.config is None:
        return None, None, ""
    try:
        if manifest.kind == Manifest.Kind.CHART:
            return None, parse_chart(contents.config), ""
        return parse_config(contents.config), None, ""
    except BadAnswer as error:
        return None, None, str(error)
