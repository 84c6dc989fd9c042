"""Keys of lists of layers, equal for equal lists; an image builds on whatever has the key of its first layers. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

_BYTES = 8  # a signed column holds them


def layers_key(digests: Iterable[str]) -> int:
    """Of all `digests` in their order; 0 where there is none."""
    *_, key = (0, *keys_of_prefixes(digests))
    return key


def keys_of_prefixes(digests: Iterable[str]) -> Iterator[int]:
    """Of the first, of the first two, and so on: each continues the one before."""
    chain = hashlib.sha256()
    for digest in digests:
        chain.update(digest.encode() + b"\n")
        yield int.from_bytes(chain.digest()[:_BYTES], "big", signed=True)
