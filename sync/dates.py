"""When images were made, for rules that take the newest: asked once for each digest, since that costs pulls."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from oci.client import RegistryClient
from oci.config import CONFIG_LIMIT, parse_config
from oci.errors import BadAnswer, DigestMismatch, NotFound, TooLarge
from oci.model import ImageIndex, ImageManifest
from oci.names import Digest, RepositoryName, TagName
from oci.transfer.heads import head
from sync.models import DatedImage

_TOGETHER: Final = 500


def dates_of(
    source: RegistryClient, repository: RepositoryName, tags: Sequence[TagName], pool: ThreadPoolExecutor
) -> dict[str, datetime]:
    """By tag, of those that have one; an index is as old as its first image. Raises RegistryError."""
    heads = dict(zip(tags, pool.map(lambda tag: head(source, repository, tag), tags), strict=True))
    digests = {str(found.digest): found.digest for found in heads.values() if found}
    known: dict[str, datetime | None] = {}
    texts = list(digests)
    for start in range(0, len(texts), _TOGETHER):
        rows = DatedImage.objects.filter(digest__in=texts[start : start + _TOGETHER])
        known |= dict(rows.values_list("digest", "created"))
    asked = [text for text in texts if text not in known]
    found = list(pool.map(lambda text: _created(source, repository, digests[text]), asked))
    DatedImage.objects.bulk_create(
        [DatedImage(digest=digest, created=date) for digest, date in zip(asked, found, strict=True)],
        ignore_conflicts=True,
        batch_size=_TOGETHER,
    )
    known |= dict(zip(asked, found, strict=True))
    dates = {str(tag): known[str(found.digest)] for tag, found in heads.items() if found}
    return {tag: date for tag, date in dates.items() if date is not None}


def _created(source: RegistryClient, repository: RepositoryName, digest: Digest) -> datetime | None:
    """None where it says nothing, or nothing that can be read."""
    try:
        fetched = source.manifest(repository, digest)
        manifest = fetched.manifest if fetched else None
        if isinstance(manifest, ImageIndex):
            images = [child for child in manifest.manifests if not child.is_attestation]
            fetched = source.manifest(repository, images[0].digest) if images else None
            manifest = fetched.manifest if fetched else None
        if not isinstance(manifest, ImageManifest):
            return None
        return parse_config(source.blob(repository, manifest.config.digest, limit=CONFIG_LIMIT)).created
    except (NotFound, BadAnswer, DigestMismatch, TooLarge):
        return None
