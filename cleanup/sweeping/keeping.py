"""Blobs that stay though no manifest in the registry can be read that refers to them."""

from __future__ import annotations

from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Document
from catalog.reads.documents import unpacked
from jobs.running import JobFailed
from oci.model import MANIFEST_LIMIT
from oci.storage.marking import Marks
from oci.storage.naming import named_in
from registries.models import Registry
from tagging.models import KeptManifest, TrashEntry, TrashPart

_TOGETHER: Final = 500  # documents
_LOST: Final = gettext_noop(
    "The data of the manifest %(digest)s are gone, and %(repository)s still links it: nobody knows which blobs it"
    " needs. Push that image again, or delete it. Nothing was deleted."
)
SENTENCES: Final = (_LOST,)


def kept_by_trash(registry: Registry) -> set[str]:
    """What the manifests name that can be restored, or are being thrown away just now."""
    entries = TrashEntry.objects.filter(registry=registry, restored_at=None, until__gt=timezone.now())
    needed = TrashPart.objects.filter(entry__in=entries).values("manifest")
    kept: set[str] = set()
    for document in (
        KeptManifest.objects.filter(pk__in=needed).values_list("compressed", flat=True).iterator(chunk_size=_TOGETHER)
    ):
        kept |= named_in(unpacked(document, MANIFEST_LIMIT))
    return kept


def name_lost(marks: Marks) -> None:
    """What those manifests name whose data are gone, as the catalog knows it. Raises JobFailed where it never did."""
    for digest, repository in sorted(marks.lost.items()):
        document = Document.objects.filter(manifest__digest=digest).first()
        if document is None:
            raise JobFailed(_LOST % {"repository": repository, "digest": digest})
        marks.named |= named_in(unpacked(document.compressed, MANIFEST_LIMIT))
