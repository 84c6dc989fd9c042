"""Whether a registry has stored what it was sent: by its answer, or where that does not say, by asking it.

A 201 says that something was stored, and the digest beside it what (distribution-spec, "Push"). Most registries send
one; of those that do not, what they have is asked for before anybody rests on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oci import digests, routes
from oci.errors import BadAnswer, DigestMismatch, NotFound
from oci.media_types import ACCEPTED
from oci.model import MANIFEST_LIMIT
from oci.names import Digest

if TYPE_CHECKING:
    from oci.names import RepositoryName, TagName
    from oci.transport import Answer, Transport

_ACCEPT: Final = {"Accept": ", ".join(ACCEPTED)}


def check_manifest(
    transport: Transport, repository: RepositoryName, target: TagName | Digest, content: bytes, answer: Answer
) -> None:
    """`answer` is the one to the PUT of these bytes. Where it names no digest a HEAD is asked, and then a GET.

    Raises DigestMismatch where something else is there, BadAnswer where nothing is, and the errors of an exchange.
    """
    stored = digests.said(answer) or _digest_of_manifest(transport, repository, target)
    if not stored.matches(content):
        raise DigestMismatch(f"{Digest.of(content)} was stored as {stored}")


def check_blob(
    transport: Transport, repository: RepositoryName, digest: Digest, size: int | None, answer: Answer
) -> None:
    """`answer` is the one that closed an upload, or linked a blob, of `size` bytes; None where nobody knows.

    A digest of another algorithm says nothing: distribution answers with SHA-256, whatever was asked for. Then, and
    where none is named, a HEAD is asked; what that leaves open is only known to whoever reads the blob.
    Raises DigestMismatch where something else is there, BadAnswer where nothing is, or not as many bytes, and the
    errors of an exchange.
    """
    if _is_said(answer, digest):
        return
    path, scope = routes.blob(repository, digest), routes.scope(repository, "pull", "push")
    try:
        found = transport.exchange("HEAD", path, scope=scope)
    except NotFound:
        raise BadAnswer(f"{digest} was taken, and is not there") from None
    _is_said(found, digest)
    length = found.headers.get("Content-Length", "")
    if size is not None and length and length != str(size):
        raise BadAnswer(f"{digest} was stored with another length than its {size} bytes")


def _digest_of_manifest(transport: Transport, repository: RepositoryName, target: TagName | Digest) -> Digest:
    path, scope = routes.manifest(repository, target), routes.scope(repository, "pull", "push")
    try:
        found = transport.exchange("HEAD", path, headers=_ACCEPT, scope=scope)
        if said := digests.said(found):
            return said
        found = transport.exchange("GET", path, headers=_ACCEPT, limit=MANIFEST_LIMIT, scope=scope)
    except NotFound:
        raise BadAnswer(f"{target} was taken, and is not there") from None
    return digests.verified(found, target)


def _is_said(answer: Answer, digest: Digest) -> bool:
    """Whether it names this digest. Raises DigestMismatch where it names another."""
    said = digests.said(answer)
    if said is not None and said.algorithm == digest.algorithm and said != digest:
        raise DigestMismatch(f"{digest} was stored as {said}")
    return said == digest
