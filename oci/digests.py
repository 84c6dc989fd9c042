"""The digest of a manifest in an answer (distribution-spec, "Pulling manifests"): what is said of it, what is true."""

from __future__ import annotations

import contextlib
from typing import Final

from oci.errors import DigestMismatch, InvalidName
from oci.media_types import SCHEMA1, bare
from oci.model import Schema1Manifest
from oci.names import Digest, TagName
from oci.transport import Answer

_HEADER: Final = "Docker-Content-Digest"


def verified(answer: Answer, target: TagName | Digest) -> Digest:
    """The digest of a manifest by its bytes; what the registry says of it is only a hint at the algorithm.

    Raises DigestMismatch.
    """
    content = answer.content
    if bare(answer.headers.get("Content-Type", "")) in SCHEMA1:
        content = Schema1Manifest("", content).payload
    hint = target if isinstance(target, Digest) else said(answer)
    if hint is None:
        return Digest.of(content)
    if not hint.matches(content):
        raise DigestMismatch(f"{hint} came back as {Digest.of(content)}")
    return hint


def said(answer: Answer) -> Digest | None:
    """The digest that the registry tells in a header, if it is one."""
    with contextlib.suppress(InvalidName):
        return Digest.parse(answer.headers.get(_HEADER, ""))
    return None
