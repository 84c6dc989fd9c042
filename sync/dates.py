"""When images were made, for rules that take the newest: asked once for each digest, since that costs pulls."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from catalog.recording.chunks import by_number
from oci.client import RegistryClient
from oci.config import CONFIG_LIMIT, parse_config
from oci.errors import BadAnswer, NotFound, TooLarge
from oci.model import ImageIndex, ImageManifest
from oci.names import Digest, RepositoryName, TagName
from oci.transfer.heads import Head, head
from sync.models import DatedImage

_TOGETHER: Final = 500
_AT_ONCE: Final = 50  # images that are asked for before they are written down


def dates_of(
    source: RegistryClient, repository: RepositoryName, tags: Sequence[TagName], pool: ThreadPoolExecutor
) -> dict[str, datetime]:
    """By tag, of those that have one; an index is as old as its first image. Raises RegistryError."""
    heads = dict(zip(tags, pool.map(lambda tag: _head(source, repository, tag), tags), strict=True))
    digests = {str(found.digest): found.digest for found in heads.values() if found}
    known: dict[str, datetime | None] = {}
    texts = list(digests)
    for start in range(0, len(texts), _TOGETHER):
        rows = DatedImage.objects.filter(digest__in=texts[start : start + _TOGETHER])
        known |= dict(rows.values_list("digest", "created"))
    asked = [text for text in texts if text not in known]
    for some in by_number(asked, _AT_ONCE):  # what was paid for is kept, whatever ends it
        found = pool.map(lambda text: _dated(source, repository, digests[text]), some)
        dated = [image for image in found if image is not None]
        DatedImage.objects.bulk_create(dated, ignore_conflicts=True)
        known |= {image.digest: image.created for image in dated}
    dates = {str(tag): known.get(str(found.digest)) for tag, found in heads.items() if found}
    return {tag: date for tag, date in dates.items() if date is not None}


def _head(source: RegistryClient, repository: RepositoryName, tag: TagName) -> Head | None:
    """None where it cannot be read: then the tag has no date."""
    try:
        return head(source, repository, tag)
    except BadAnswer:
        return None


def _dated(source: RegistryClient, repository: RepositoryName, digest: Digest) -> DatedImage | None:
    """Without a date where it says none; None where it could not be read, which another day may be otherwise."""
    try:
        return DatedImage(digest=str(digest), created=_created(source, repository, digest))
    except TooLarge:
        return DatedImage(digest=str(digest))
    except (NotFound, BadAnswer):
        return None


def _created(source: RegistryClient, repository: RepositoryName, digest: Digest) -> datetime | None:
    fetched = source.manifest(repository, digest)
    manifest = fetched.manifest if fetched else None
    if isinstance(manifest, ImageIndex):
        images = [child for child in manifest.manifests if not child.is_attestation]
        fetched = source.manifest(repository, images[0].digest) if images else None
        manifest = fetched.manifest if fetched else None
    if not isinstance(manifest, ImageManifest):
        return None
    content = source.blob(repository, manifest.config.digest, limit=CONFIG_LIMIT)
    try:
        return parse_config(content).created
    except BadAnswer:
        return None  # those are its bytes
