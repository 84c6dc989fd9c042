"""The rows of the catalog: content (true everywhere), repositories (true in one place), scans."""

from __future__ import annotations

from catalog.models.content import Blob, ConfigDocument, Document, IndexEntry, Manifest, ManifestBlob
from catalog.models.repositories import Presence, Repository, RepositoryBlob, Tag, TagSpan
from catalog.models.scans import Scan

__all__ = [
    "Blob",
    "ConfigDocument",
    "Document",
    "IndexEntry",
    "Manifest",
    "ManifestBlob",
    "Presence",
    "Repository",
    "RepositoryBlob",
    "Scan",
    "Tag",
    "TagSpan",
]
