"""What is attached to an image: referrers (distribution-spec 1.1), by API or by tag, and the tags of cosign."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from oci.errors import BadAnswer, NotFound, Refused
from oci.fetched import Fetched
from oci.media_types import OCI_INDEX, Kind
from oci.model import Descriptor, ImageIndex, ImageManifest
from oci.names import Digest, RepositoryName, TagName, parse_tag
from oci.transfer.heads import head, put
from oci.transfer.images import Copied, Images, Order
from oci.transfer.sides import Side, at

if TYPE_CHECKING:
    from oci.client import RegistryClient

SUFFIXES: Final = ("sig", "att", "sbom")  # of cosign's tags
_DEPTH: Final = 3  # a signature of an SBOM of an image
_MOST: Final = 200  # of one image
_NO_SUCH_API: Final = frozenset({400, 404, 405, 501})
Holds: TypeAlias = Callable[[RepositoryName, TagName], bool]
ALL_KINDS: Final[frozenset[Kind]] = frozenset({"signature", "attestation", "sbom", "artifact", "chart", "image"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """`kinds` of what is attached; `tags` of the source as they were listed, None where that was not done."""

    kinds: frozenset[Kind] = ALL_KINDS
    tags: Collection[str] | None = None

    def may_have(self, tag: str) -> bool:
        return self.tags is None or tag in self.tags


def _none(_repository: RepositoryName, _tag: TagName) -> bool:
    return False


def tag_of(subject: Digest, suffix: str = "") -> TagName:
    """Where a registry without the API keeps the list of referrers; with a suffix, what cosign put beside an image."""
    return parse_tag(f"{subject.algorithm}-{subject.hex}{'.' if suffix else ''}{suffix}")


class Attached:
    """Brings it along, before the tag is put: nobody who verifies ever sees the image without."""

    def __init__(self, source: RegistryClient, target: RegistryClient, images: Images, holds: Holds = _none) -> None:
        """`holds` tells which tags of the target may not move; it is asked in the threads that copy."""
        self._source, self._target, self._images, self._holds = source, target, images, holds
        self._has_api: bool | None = None  # the source
        self._one_at_a_time: defaultdict[Digest, threading.Lock] = defaultdict(threading.Lock)

    def bring(self, order: Order, copied: Copied, wanted: Wanted) -> int:
        """How many of them are at the target now. Raises as `Images.place` does."""
        brought, seen = 0, set[Digest]()
        for subject in dict.fromkeys(copied.subjects):
            brought += self._bring_referrers(order, subject, wanted, seen, _DEPTH)
            brought += sum(self._bring_tag(order, tag_of(subject, suffix), wanted) for suffix in SUFFIXES)
        return brought

    def _bring_referrers(self, order: Order, subject: Digest, wanted: Wanted, seen: set[Digest], depth: int) -> int:
        """`seen`: those of the whole image; a list may name anything, in circles too."""
        brought = 0
        order.meter.go_on()
        for descriptor in self._referrers(order.source, subject, wanted):
            if len(seen) == _MOST:
                break
            if descriptor.digest in seen:
                continue
            seen.add(descriptor.digest)
            order.meter.go_on()
            with at(Side.SOURCE):
                fetched = _fetched(self._source, order.source, descriptor.digest)
            if fetched is None or _kind(fetched) not in wanted.kinds or not _is_about(fetched, subject):
                continue  # a list that is kept by hand may name what has gone
            copied, _ = self._images.place(
                Order(order.source, fetched.digest, order.target, meter=order.meter), fetched
            )
            if not copied.is_listed:
                self._list(order.target, subject, fetched)
            brought += 1
            if depth > 1:
                brought += self._bring_referrers(order, fetched.digest, wanted, seen, depth - 1)
        return brought

    def _bring_tag(self, order: Order, tag: TagName, wanted: Wanted) -> int:
        if not wanted.may_have(tag):
            return 0
        order.meter.go_on()
        with at(Side.SOURCE):
            fetched = _fetched(self._source, order.source, tag)
        if fetched is None or _kind(fetched) not in wanted.kinds or self._is_held(order.target, tag, fetched.digest):
            return 0
        beside = Order(order.source, fetched.digest, order.target, tag, meter=order.meter)
        _, top = self._images.place(beside, fetched)
        self._images.put_tag(beside, top)
        return 1

    def _is_held(self, repository: RepositoryName, tag: TagName, digest: Digest) -> bool:
        """Whether it points to something else, which is to stay."""
        if not self._holds(repository, tag):
            return False
        with at(Side.TARGET):
            now = head(self._target, repository, tag)
        return now is not None and now.digest != digest

    def _referrers(self, repository: RepositoryName, subject: Digest, wanted: Wanted) -> Iterator[Descriptor]:
        with at(Side.SOURCE):
            if self._has_api is not False:
                try:
                    yield from self._source.referrers(repository, subject)
                except Refused as refusal:
                    if refusal.answered not in _NO_SUCH_API:
                        raise
                    # With reasons it may be about this one alone: then the next is asked for too.
                    if self._has_api is None and (not refusal.reasons or refusal.says("UNSUPPORTED")):
                        self._has_api = False
                else:
                    self._has_api = True
                    return
            tag = tag_of(subject)
            listed = _fetched(self._source, repository, tag) if wanted.may_have(tag) else None
            if listed is not None and isinstance(listed.manifest, ImageIndex):
                yield from listed.manifest.manifests

    def _list(self, repository: RepositoryName, subject: Digest, referrer: Fetched) -> None:
        """Under the tag of its subject, where the registry keeps no list of its own ("Referrers Tag Schema")."""
        tag = tag_of(subject)
        with self._one_at_a_time[subject], at(Side.TARGET):
            before = _fetched(self._target, repository, tag)
            entries = _entries(before, tag) if before else []
            if any(entry.get("digest") == str(referrer.digest) for entry in entries):
                return
            if before and self._holds(repository, tag):
                return
            document = {
                "schemaVersion": 2,
                "mediaType": OCI_INDEX,
                "manifests": [*entries, _described(referrer)],
            }
            content = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
            put(self._target, repository, tag, Fetched(Digest.of(content), OCI_INDEX, content))


def _fetched(client: RegistryClient, repository: RepositoryName, target: TagName | Digest) -> Fetched | None:
    try:
        return client.manifest(repository, target)
    except NotFound:
        return None


def _is_about(referrer: Fetched, subject: Digest) -> bool:
    said = getattr(referrer.manifest, "subject", None)
    return said is not None and said.digest == subject


def _kind(fetched: Fetched) -> Kind:
    return fetched.manifest.kind if isinstance(fetched.manifest, ImageManifest) else "artifact"


def _entries(listed: Fetched, tag: TagName) -> list[dict[str, Any]]:
    if not isinstance(listed.manifest, ImageIndex):
        raise BadAnswer(f"{tag} is no list of what is attached")
    entries: list[dict[str, Any]] = json.loads(listed.content)["manifests"]
    return entries


def _described(referrer: Fetched) -> dict[str, Any]:
    """Its descriptor, with what makes it findable by its kind (distribution-spec, "Listing Referrers")."""
    described: dict[str, Any] = {
        "mediaType": referrer.media_type,
        "digest": str(referrer.digest),
        "size": len(referrer.content),
    }
    if isinstance(referrer.manifest, ImageManifest):
        described["artifactType"] = referrer.manifest.artifact_type or referrer.manifest.config.media_type
        if referrer.manifest.annotations:
            described["annotations"] = dict(referrer.manifest.annotations)
    return described
