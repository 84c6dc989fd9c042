"""Which digests a manifest names, whatever kind of manifest it is."""

from __future__ import annotations

import re
from typing import Final

_DIGEST: Final = re.compile("sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_ESCAPE: Final = re.compile(r"\\u00([0-7][0-9a-fA-F])")


def named_in(content: bytes) -> set[str]:
    """Every digest that stands anywhere in it, also in a field that nobody knows, or in what is no JSON.

    So it may be more than the manifest needs, and is never less.
    """
    text = content.decode("latin-1")
    if "\\" in text:  # JSON may write any character by its number
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return set(_DIGEST.findall(text))
