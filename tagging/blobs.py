"""Whether the blobs of what is in the trash are still there: each is read, not only asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalog.models import RepositoryBlob
from oci.client import RegistryClient
from oci.errors import BadAnswer, RegistryError, TooManyRequests, Unavailable, Unreachable
from oci.model import ImageManifest, parse_manifest
from oci.names import Digest, RepositoryName, parse_repository
from tagging.trash import Kept


class Blobs:
    """Of one registry; what was found is remembered, since entries share most of them."""

    def __init__(self, registry_id: int, client: RegistryClient) -> None:
        self._registry_id, self._client = registry_id, client
        self._readable: dict[tuple[RepositoryName, Digest], bool] = {}

    def missing(self, repository: RepositoryName, manifests: Iterable[Kept]) -> list[Digest]:
        """Those that cannot be read in the repository. Raises RegistryError where that cannot be told."""
        return [digest for digest in blobs_of(manifests) if not self._is_readable(repository, digest)]

    def bring(self, repository: RepositoryName, digests: Sequence[Digest]) -> list[Digest]:
        """Have these linked in from other repositories of the registry that use them; those that none could give.

        Raises RegistryError where that cannot be told.
        """
        return [digest for digest in digests if not self._mount(repository, digest)]

    def _is_readable(self, repository: RepositoryName, digest: Digest) -> bool:
        place = (repository, digest)
        if place not in self._readable:
            self._readable[place] = self._client.blob_is_readable(repository, digest)
        return self._readable[place]

    def _mount(self, repository: RepositoryName, digest: Digest) -> bool:
        users = RepositoryBlob.objects.filter(blob__digest=str(digest), repository__registry=self._registry_id)
        for source in users.values_list("repository__name", flat=True)[:3]:
            try:
                if source != repository and self._client.mount_blob(repository, digest, parse_repository(source)):
                    is_readable = self._readable[repository, digest] = self._client.blob_is_readable(repository, digest)
                    return is_readable
            except (Unreachable, Unavailable, TooManyRequests):
                raise  # whether it has them nobody knows
            except RegistryError:
                continue  # not from there
        return False


def blobs_of(manifests: Iterable[Kept]) -> list[Digest]:
    """Configs and layers that a registry must have before it takes these manifests; each once."""
    digests: dict[Digest, None] = {}
    for kept in manifests:
        try:
            manifest = parse_manifest(kept.media_type, kept.content)
        except BadAnswer:
            continue  # what we cannot read, the registry looks at itself
        if isinstance(manifest, ImageManifest):
            digests |= dict.fromkeys(blob.digest for blob in (manifest.config, *manifest.layers))
    return list(digests)
