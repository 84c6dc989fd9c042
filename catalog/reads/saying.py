"""What something that is attached says of itself, in its manifest: nobody has verified any of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from catalog.artifact_types import file_named, type_of
from catalog.predicates import predicate_in, predicate_named
from oci.config import parse_time
from oci.errors import BadAnswer
from oci.model import ImageIndex, ImageManifest, parse_manifest

_CREATED: Final = ("org.opencontainers.image.created", "org.opencontainers.artifact.created")
_LONGEST: Final = 200  # characters of a type that nobody knows
_MOST: Final = 6  # predicates that are shown


@dataclass(frozen=True, slots=True)
class Saying:
    """`name` is what it is, "" where nobody knows; `about` is what its statements are about, known ones by name.

    `parts` are its layers: each a signature, a statement, a document.
    """

    name: str = ""
    about: tuple[str, ...] = ()
    more: int = 0  # that are not in `about`
    parts: int = 0
    created: datetime | None = None
    is_signature: bool = False

    @classmethod
    def of(cls, artifact_type: str, content: bytes) -> Saying:
        """`content` is its document; what cannot be read says nothing but its type."""
        try:
            document = parse_manifest("", content) if content else None
        except BadAnswer:
            document = None
        if not isinstance(document, ImageManifest):
            annotations = document.annotations if isinstance(document, ImageIndex) else {}
            known = type_of(artifact_type, (), annotations)
            return cls(name=str(known.name) if known else "")
        layers = [layer.media_type for layer in document.layers]
        known = type_of(artifact_type, layers, document.annotations)
        about = _about(document, str(known.name) if known else "")
        times = (parse_time(document.annotations.get(name)) for name in _CREATED)
        return cls(
            name=str(known.name) if known else "",
            about=about[:_MOST],
            more=max(0, len(about) - _MOST),
            parts=len(layers),
            created=next((moment for moment in times if moment), None),
            is_signature=document.kind == "signature",
        )


def _about(document: ImageManifest, name: str) -> tuple[str, ...]:
    """Predicates first; else what its layers are, where that says more than its own name."""
    predicates = [predicate_in(layer.annotations) for layer in document.layers]
    predicates = [p for p in (*predicates, predicate_in(document.annotations)) if p]
    if predicates:
        found = [predicate_named(predicate) or predicate[:_LONGEST] for predicate in predicates]
    else:
        found = [] if document.kind == "signature" else [file_named(layer.media_type) for layer in document.layers]
    return tuple(dict.fromkeys(text for text in found if text and text != name))


NOTHING: Final = Saying()
