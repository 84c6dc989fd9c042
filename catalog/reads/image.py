"""An image as a page shows it: from rows and documents alone, never from the registry.

Everything in it was written by whoever pushed the image. Lists and texts are cut to what a page can bear, and
what cannot be read is said, not guessed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from catalog.models import ConfigDocument, Document, Manifest, Presence
from catalog.reads.attached import Attachment, attachments_of
from catalog.reads.history import Cut, Layer, Step, fits, layers_of, pair
from catalog.reads.sharing import sharing_of
from catalog.reads.variants import Listed, Variant, list_index
from oci.config import CONFIG_LIMIT, ImageConfig, parse_config
from oci.errors import BadAnswer
from oci.model import MANIFEST_LIMIT, ImageIndex, ImageManifest, parse_manifest
from oci.model import Manifest as ManifestValue

MOST_LAYERS: Final = 200
MOST_STEPS: Final = 200
MOST_PAIRS: Final = 100  # of labels, variables, annotations
_LONGEST_VALUE: Final = 1_000
_LONGEST_KEY: Final = 200
_LAYERED: Final = frozenset({Manifest.Kind.IMAGE, Manifest.Kind.INDEX, Manifest.Kind.SCHEMA1, Manifest.Kind.MALFORMED})


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and values, cut; `more` are not shown."""

    shown: tuple[tuple[Cut, Cut], ...] = ()
    more: int = 0

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Pairs:
        every = list(pairs)
        shown = tuple((Cut.of(k, _LONGEST_KEY), Cut.of(v, _LONGEST_VALUE)) for k, v in every[:MOST_PAIRS])
        return cls(shown, max(0, len(every) - MOST_PAIRS))

    @property
    def count(self) -> int:
        return len(self.shown) + self.more


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
    def layer_count(self) -> int:
        return len(self.document.layers) if isinstance(self.document, ImageManifest) else 0

    @property
    def layers_size(self) -> int:
        """Bytes of all its layers, each blob once."""
        if not isinstance(self.document, ImageManifest):
            return 0
        return sum({layer.digest: layer.size for layer in self.document.layers}.values())

    @property
    def holds_files(self) -> bool:
        """What an artifact holds are no layers that lie on each other."""
        return self.shown is not None and self.shown.kind not in _LAYERED

    @property
    def history_fits(self) -> bool:
        return not self.config or not self.config.history or fits(self.config.history, self.layer_count)

    @cached_property
    def layers(self) -> list[Layer]:
        """The first of them, with who else uses each: one query."""
        if not isinstance(self.document, ImageManifest):
            return []
        first = self.document.layers[:MOST_LAYERS]
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
    def annotations(self) -> Pairs:
        """Of the index, then of the manifest that is shown."""
        said: dict[str, str] = {}
        for document in (self.document, self.index_document):
            if isinstance(document, ImageManifest | ImageIndex):
                said |= document.annotations
        return Pairs.of(said.items())


def read_image(presence: Presence, platform: str = "", *, with_variant: bool = True) -> Image:
    """The image of `presence`, and of an index the variant named `platform`. Eight queries at most, with `layers`.

    Without a variant an index is what it lists, and no more.
    """
    manifest = presence.manifest
    is_index = manifest.kind == Manifest.Kind.INDEX
    listed = list_index(manifest, presence.repository, gone=presence.gone_at is not None) if is_index else Listed()
    variant = listed.choose(platform) if with_variant else None
    shown = manifest if not is_index else variant.child if variant and variant.is_here else None
    contents = _documents([manifest] if shown in {None, manifest} else [manifest, shown])
    document, document_problem = _parse(shown, contents) if shown else (None, "")
    index_document = _parse(manifest, contents)[0] if is_index else None
    config, config_problem = _read_config(shown)
    digests = [manifest.digest] if shown in {None, manifest} else [manifest.digest, shown.digest]
    return Image(
        presence=presence,
        listed=listed,
        variant=variant,
        shown=shown,
        document=document,
        document_problem=document_problem,
        index_document=index_document if isinstance(index_document, ImageIndex) else None,
        config=config,
        config_problem=config_problem,
        attachments=attachments_of(presence.repository, digests, listed),
    )


def raw_manifest(manifest: Manifest) -> bytes | None:
    """The very bytes that the digest is of; None where they were never read."""
    document = Document.objects.filter(manifest=manifest).first()
    return unpacked(document.compressed, MANIFEST_LIMIT) if document else None


def raw_config(manifest: Manifest) -> bytes | None:
    """The very bytes of its config; None where it has none, or where they were not read yet."""
    document = ConfigDocument.objects.filter(blob=manifest.config_id).first() if manifest.config_id else None
    return unpacked(document.compressed, CONFIG_LIMIT) if document else None


def _documents(manifests: list[Manifest | None]) -> dict[int, bytes]:
    rows = Document.objects.filter(manifest__in=[manifest.pk for manifest in manifests if manifest])
    return {row.manifest_id: unpacked(row.compressed, MANIFEST_LIMIT) for row in rows}


def _parse(manifest: Manifest, contents: Mapping[int, bytes]) -> tuple[ManifestValue | None, str]:
    if manifest.problem or manifest.pk not in contents:
        return None, manifest.problem
    try:
        return parse_manifest(manifest.media_type, contents[manifest.pk]), ""
    except BadAnswer as error:
        return None, str(error)


def _read_config(manifest: Manifest | None) -> tuple[ImageConfig | None, str]:
    if manifest is None or manifest.config_state != Manifest.ConfigState.READ:
        return None, manifest.config_problem if manifest else ""
    content = raw_config(manifest)
    try:
        return (parse_config(content), "") if content is not None else (None, "")
    except BadAnswer as error:
        return None, str(error)


def unpacked(compressed: bytes | memoryview, most: int) -> bytes:
    """At most `most` bytes, whatever the row promises."""
    return zlib.decompressobj().decompress(bytes(compressed), most)
