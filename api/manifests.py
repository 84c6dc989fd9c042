"""One manifest in a repository: all that its page knows, for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Router

from api.answers import answer, moment, stamp
from api.door import reads
from api.links import Place, origin_of
from api.manifest_shapes import (
    MOST_TAGS,
    AttachmentJson,
    Child,
    ConfigJson,
    LayerJson,
    ManifestJson,
    ManifestLinks,
    StepJson,
)
from catalog.models import Manifest, Presence, Tag
from catalog.reads.attached import MOST as MOST_ATTACHMENTS
from catalog.reads.history import Layer, Step
from catalog.reads.image import Image, read_image
from catalog.reads.pairs import Cut, Pairs
from catalog.reads.variants import Listed, Variant

_MOST_WORDS: Final = 100  # of a command, of ports, of volumes
_LONGEST_WORD: Final = 1_000

router = Router(tags=["Manifests"])


@reads(
    router,
    "/repositories/{registry:registry}/{repository:repository}/-/manifests/{digest:digest}",
    "api-manifest",
    ManifestJson,
)
def read_manifest(request: HttpRequest, registry: str, repository: str, digest: str) -> HttpResponse:
    """One manifest, by its digest.

    A digest counts only in its own repository. Of an index it tells what that lists: each child has an address too.
    """
    presence = get_object_or_404(
        Presence.objects.select_related("repository__registry", "manifest__config"),
        repository__registry__name=registry,
        repository__name=repository,
        manifest__digest=digest,
    )
    image = read_image(presence, with_variant=False)
    return answer(request, _manifest_json(image, Place.of(presence.repository, origin_of(request))))


def _manifest_json(image: Image, place: Place) -> ManifestJson:
    presence, manifest, cut = image.presence, image.manifest, _Cutter()
    tags = [tag.name for tag in Tag.objects.live().first_of_each([presence], MOST_TAGS)]
    said: ManifestJson = {
        "registry": presence.repository.registry.name,
        "repository": presence.repository.name,
        "digest": manifest.digest,
        "kind": manifest.kind,
        "media_type": manifest.media_type or None,
        "artifact_type": manifest.artifact_type or None,
        "subject": manifest.subject or None,
        "state": presence.state,
        "problem": presence.problem or manifest.problem or image.document_problem or None,
        "document_size": manifest.document_size,
        "size": presence.size or None,
        "platform": manifest.platform or None,
        "created": moment(manifest.created),
        "date": moment(presence.date),
        "dated_by": presence.dated_by,
        "first_seen": stamp(presence.first_seen),
        "gone_at": moment(presence.gone_at),
        "tags": tags,
        "more_tags": max(0, presence.tag_count - len(tags)),
        "children": _children(image.listed, place),
        "layers": [_layer(layer) for layer in image.layers],
        "layer_count": image.layer_count,
        "layers_size": image.layers_size,
        "history": [_step(step, cut) for step in image.steps] if image.config else [],
        "history_fits": image.history_fits,
        "config": _config(image, cut),
        "config_state": manifest.config_state,
        "config_problem": manifest.config_problem or image.config_problem or None,
        "annotations": cut.mapping(image.annotations),
        "attachments": _attachments(image),
        "is_cut": False,
        "links": _links(image, place),
    }
    unshown = image.more_layers or (image.config and image.more_steps) or len(image.attachments) >= MOST_ATTACHMENTS
    said["is_cut"] = bool(cut.has_cut or unshown)
    return said


class _Cutter:
    """Cuts what a stranger wrote to what an answer can bear, and remembers that it did."""

    def __init__(self) -> None:
        self.has_cut = False

    def text(self, cut: Cut) -> str:
        self.has_cut |= bool(cut.hidden)
        return cut.text

    def word(self, text: str) -> str:
        return self.text(Cut.of(text, _LONGEST_WORD))

    def words(self, words: Iterable[str]) -> list[str]:
        every = list(words)
        self.has_cut |= len(every) > _MOST_WORDS
        return [self.word(word) for word in every[:_MOST_WORDS]]

    def pairs(self, pairs: Pairs) -> Sequence[tuple[str, str]]:
        self.has_cut |= bool(pairs.more)
        return [(self.text(name), self.text(value)) for name, value in pairs.shown]

    def mapping(self, pairs: Pairs) -> dict[str, str]:
        return dict(self.pairs(pairs))


def _children(listed: Listed, place: Place) -> list[Child]:
    """In the order of the index; a variant that is here says how much a client pulls."""
    every = [*listed.variants, *listed.nested, *listed.attestations, *listed.others]
    return [_child(one, place) for one in sorted(every, key=lambda one: one.entry.position)]


def _child(variant: Variant, place: Place) -> Child:
    entry, seen, is_here = variant.entry, variant.child, variant.is_here
    return {
        "digest": entry.digest,
        "role": entry.role,
        "platform": entry.platform or (seen.platform if seen else "") or None,
        "os_version": entry.os_version or None,
        "attests": entry.attests or None,
        "media_type": entry.media_type,
        "document_size": entry.document_size,
        "kind": seen.kind if seen else None,
        "size": (seen.size or None) if seen and is_here else None,
        "is_here": is_here,
        "manifest": place.manifest(entry.digest) if is_here else None,
    }


def _layer(layer: Layer) -> LayerJson:
    sharing = layer.sharing
    return {
        "number": layer.number,
        "digest": layer.digest,
        "media_type": layer.media_type,
        "size": layer.size,
        "title": layer.title or None,
        "shared": {
            "images_here": sharing.images_here,
            "repositories_elsewhere": sharing.elsewhere,
            "is_capped": sharing.elsewhere_is_capped,
            "example": sharing.example or None,
        },
    }


def _step(step: Step, cut: _Cutter) -> StepJson:
    return {
        "number": step.number,
        "instruction": step.instruction or None,
        "command": cut.text(step.command),
        "comment": cut.text(step.comment) or None,
        "created": moment(step.created),
        "layer": step.layer.digest if step.layer else None,
        "is_empty": step.is_empty,
    }


def _config(image: Image, cut: _Cutter) -> ConfigJson | None:
    config = image.config
    if config is None:
        return None
    return {
        "author": cut.word(config.author) or None,
        "user": cut.word(config.user) or None,
        "working_dir": cut.word(config.working_dir) or None,
        "entrypoint": None if config.entrypoint is None else cut.words(config.entrypoint),
        "cmd": None if config.cmd is None else cut.words(config.cmd),
        "environment": [{"name": name, "value": value} for name, value in cut.pairs(image.environment)],
        "exposed_ports": cut.words(config.exposed_ports),
        "volumes": cut.words(config.volumes),
        "healthcheck": None if config.healthcheck is None else cut.words(config.healthcheck),
        "stop_signal": cut.word(config.stop_signal) or None,
        "labels": cut.mapping(image.labels),
    }


def _attachments(image: Image) -> list[AttachmentJson]:
    """What an index lists itself is among its children."""
    listed = {attestation.entry.digest for attestation in image.listed.attestations}
    return [
        {
            "kind": found.kind,
            "digest": found.digest,
            "artifact_type": found.artifact_type or None,
            "tag": found.tag or None,
        }
        for found in image.attachments
        if found.digest not in listed
    ]


def _links(image: Image, place: Place) -> ManifestLinks:
    digest = image.manifest.digest
    page = place.page_of_manifest(digest)
    was_read = image.manifest.kind != Manifest.Kind.MALFORMED or image.manifest.document_size > 0
    has_config = image.manifest.config_state == Manifest.ConfigState.READ
    return {
        "self": place.manifest(digest),
        "repository": place.here,
        "page": page,
        "raw_manifest": f"{page}/raw" if was_read else None,
        "raw_config": f"{page}/config" if has_config else None,
    }
