"""A manifest to overwrite a tag with, so that the tag can be deleted by a digest that nothing else has.

Registries before distribution 3 delete only digests, with every tag on them. An index of nothing needs no blob to be
there, and no client runs anything if it pulls it in the moment between.
"""

from __future__ import annotations

import json
from typing import Final

from oci.media_types import OCI_INDEX

MEDIA_TYPE: Final = OCI_INDEX
ANNOTATION: Final = "io.berth.throwaway"


def throwaway(name: str) -> bytes:
    """The bytes of the one that is called `name`: another name, another digest."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [],
        "annotations": {ANNOTATION: name},
    }
    return json.dumps(document, separators=(",", ":")).encode()
