"""The rows of the catalog: content (true everywhere), repositories (true in one place), cards, scans, storage."""

from __future__ import annotations

from catalog.models.arrivals import ChangeLook, PullDay, PushDay, Unread, Waiting
from catalog.models.cards import RepositoryCard
from catalog.models.content import Blob, ConfigDocument, Document, IndexEntry, Label, LabelName, Manifest, ManifestBlob
from catalog.models.presences import Presence, RepositoryBlob
from catalog.models.repositories import Repository, WatchedRepository
from catalog.models.scans import NamespaceTotal, Scan
from catalog.models.storage import LargeImage, RepeatedImage, StorageDay
from catalog.models.tags import Tag, TagSpan, Throwaway

__all__ = [
    "Blob",
    "ChangeLook",
    "ConfigDocument",
    "Document",
    "IndexEntry",
    "Label",
    "LabelName",
    "LargeImage",
    "Manifest",
    "ManifestBlob",
    "NamespaceTotal",
    "Presence",
    "PullDay",
    "PushDay",
    "RepeatedImage",
    "Repository",
    "RepositoryBlob",
    "RepositoryCard",
    "Scan",
    "StorageDay",
    "Tag",
    "TagSpan",
    "Throwaway",
    "Unread",
    "Waiting",
    "WatchedRepository",
]
