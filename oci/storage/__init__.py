"""A registry's own storage folder, read without asking the registry.

The layout is that of the filesystem driver of distribution, the same in 2.8 and in 3 (its registry/storage/paths.go):

    ROOT/docker/registry/v2
    ├── blobs/ALGORITHM/AB/HEX/data        every manifest, config and layer, once
    └── repositories/NAME
        ├── _layers/ALGORITHM/HEX/link     the digest of a blob that is in this repository
        ├── _manifests
        │   ├── revisions/ALGORITHM/HEX/link
        │   └── tags/TAG/current/link      the digest that the tag points to; its mtime is when it was pushed
        └── _uploads/UUID                  startedat, data: what is being pushed

Only `aside` writes, and `removal` deletes; all else reads. Whatever stands in it is as hostile as what comes over the
network.
"""

from __future__ import annotations

from oci.storage.faults import Fault, Faults, StorageFault, Unreadable
from oci.storage.folder import StorageFolder
from oci.storage.listing import Listing
from oci.storage.repositories import ListedBy
from oci.storage.revisions import RevisionLink
from oci.storage.tags import TagLink
from oci.storage.uploads import Upload

__all__ = [
    "Fault",
    "Faults",
    "ListedBy",
    "Listing",
    "RevisionLink",
    "StorageFault",
    "StorageFolder",
    "TagLink",
    "Unreadable",
    "Upload",
]
