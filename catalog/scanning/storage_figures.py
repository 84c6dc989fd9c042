"""What only the storage folder tells: manifests that no tag reaches, uploads that never ended, and bytes on disk."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.models import Presence, Scan
from oci.names import RepositoryName
from oci.storage import StorageFault, StorageFolder


def count_storage(folder: StorageFolder, scan: Scan, repositories: Iterable[RepositoryName]) -> None:
    """Fill it in; what cannot be listed to its end stays unknown. Saves nothing.

    What is present in the catalog is what tags reach, so the other revisions are those that none does.
    """
    revisions = uploads = upload_bytes = blobs = blob_bytes = 0
    try:
        for repository in repositories:
            revisions += sum(1 for _ in folder.revisions(repository))
            for upload in folder.uploads(repository):
                uploads += 1
                upload_bytes += upload.size
        for _, size in folder.blobs():
            blobs += 1
            blob_bytes += size
    except StorageFault:
        return
    reached = Presence.objects.present().filter(repository__registry_id=scan.registry_id).count()
    scan.untagged_manifests = max(0, revisions - reached)
    scan.uploads, scan.upload_bytes = uploads, upload_bytes
    scan.disk_blobs, scan.disk_bytes = blobs, blob_bytes
