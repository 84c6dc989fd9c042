"""What only the storage folder tells: manifests that no tag reaches, uploads that never ended, and bytes on disk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from catalog.models import Presence, Scan
from oci.names import RepositoryName
from oci.storage import StorageFault, StorageFolder


class Storage(NamedTuple):
    revisions: int
    uploads: int
    upload_bytes: int
    blobs: int
    blob_bytes: int


def count_storage(folder: StorageFolder, repositories: Iterable[RepositoryName]) -> Storage | None:
    """None where something cannot be listed to its end. Asks no database: it is counted while others write."""
    revisions = uploads = upload_bytes = blobs = blob_bytes = 0
    try:
        for repository in repositories:
            revisions += sum(1 for _ in folder.revisions(repository))
            for upload in folder.uploads(repository):
                uploads += 1
                upload_bytes += upload.size
        for blob in folder.blobs():
            blobs += 1
            blob_bytes += blob.size
    except StorageFault:
        return None
    return Storage(revisions, uploads, upload_bytes, blobs, blob_bytes)


def tell_storage(scan: Scan, storage: Storage | None) -> None:
    """Fill it in, where it is known. Saves nothing.

    What is present in the catalog is what tags reach, so the other revisions are those that none does.
    """
    if storage is None:
        return
    reached = Presence.objects.present().filter(repository__registry_id=scan.registry_id).count()
    scan.untagged_manifests = max(0, storage.revisions - reached)
    scan.uploads, scan.upload_bytes = storage.uploads, storage.upload_bytes
    scan.disk_blobs, scan.disk_bytes = storage.blobs, storage.blob_bytes
