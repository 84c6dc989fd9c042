"""Reading all that a registry has of an image, so that its own word for it is not all that there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from oci.errors import BadAnswer, RegistryError, TooLarge
from oci.media_types import is_foreign
from oci.model import ImageIndex, ImageManifest
from oci.transfer.sides import Side
from oci.transfer.verified import Verified

if TYPE_CHECKING:
    from oci.client import RegistryClient
    from oci.names import Digest, RepositoryName

_MOST: Final = 2_000  # manifests of one image
_DEPTH: Final = 4


def reread(client: RegistryClient, repository: RepositoryName, digest: Digest, watch: Callable[[int], None]) -> None:
    """Every manifest and every blob below `digest`, each against its digest; `watch` hears of each piece.

    Raises NotFound where a part is missing, DigestMismatch where it has other bytes, and RegistryError; what `watch`
    raises too. The error is of the target.
    """
    try:
        _Rereading(client, repository, watch).manifest(digest, _DEPTH)
    except RegistryError as error:
        error.at = Side.TARGET
        raise


class _Rereading:
    def __init__(self, client: RegistryClient, repository: RepositoryName, watch: Callable[[int], None]) -> None:
        self._client, self._repository, self._watch = client, repository, watch
        self._manifests: set[Digest] = set()
        self._read: set[Digest] = set()  # blobs

    def manifest(self, digest: Digest, depth: int) -> None:
        self._manifests.add(digest)
        if len(self._manifests) > _MOST or not depth:
            raise TooLarge(f"it lists more than {_MOST} manifests, or deeper ones than anybody makes")
        fetched = self._client.manifest(self._repository, digest)
        match fetched and fetched.manifest:
            case ImageIndex(manifests=children):
                for child in children:
                    if child.digest not in self._manifests:
                        self.manifest(child.digest, depth - 1)
            case ImageManifest() as image:
                self._blobs(image)
            case _:
                raise BadAnswer(fetched.problem if fetched else "it has no content")

    def _blobs(self, image: ImageManifest) -> None:
        for blob in (image.config, *image.layers):
            if blob.digest in self._read or is_foreign(blob.media_type):
                continue
            self._read.add(blob.digest)
            with Verified(self._client, self._repository, blob, self._watch) as body:
                for _ in body:
                    pass
