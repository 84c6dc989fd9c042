"""The archive of a Helm chart, fetched from its registry."""

from __future__ import annotations

from catalog.reads.image import Image
from oci.chart import CHART_CONTENT
from oci.chart_files import PACKED_LIMIT
from oci.client import RegistryClient
from oci.errors import BadAnswer, TooLarge
from oci.model import Descriptor, ImageManifest
from oci.names import parse_repository


def archive_of(image: Image) -> Descriptor | None:
    """The layer that holds the chart; None where the manifest names none."""
    layers = image.document.layers if isinstance(image.document, ImageManifest) else ()
    return next((layer for layer in layers if layer.media_type == CHART_CONTENT), None)


def fetch_archive(client: RegistryClient, repository: str, archive: Descriptor | None) -> bytes:
    """Its bytes, which are what their digest says."""
    if archive is None:
        raise BadAnswer("the manifest names no archive of a chart")
    if archive.size > PACKED_LIMIT:
        raise TooLarge(f"the archive is said to have {archive.size:,} bytes, more than Berth unpacks")
    return client.blob(parse_repository(repository), archive.digest, limit=PACKED_LIMIT)
