"""The rows of the catalog: content (true everywhere), repositories (true in one place), cards, scans."""

from __future__ import annotations

from catalog.models.cards import RepositoryCard
from catalog.models.content import Blob, ConfigDocument, Document, IndexEntry, Label, LabelName, Manifest, ManifestBlob
from catalog.models.repositories import Presence, Repository, RepositoryBlob, Tag, TagSpan, WatchedRepository
from catalog.models.scans import NamespaceTotal, Scan

__all__ = [
    "Blob",
    "ConfigDocument",
    "Document",
    "IndexEntry",
    "Label",
    "LabelName",
    "Manifest",
    "ManifestBlob",
    "NamespaceTotal",
    "Presence",
    "Repository",
    "RepositoryBlob",
    "RepositoryCard",
    "Scan",
    "Tag",
    "TagSpan",
    "WatchedRepository",
]
