"""One image from one registry to another: blobs, what it lists, itself, what is attached, and last its tag."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeAlias

from oci.errors import BadAnswer, NotFound, Refused, TooLarge
from oci.fetched import Fetched
from oci.media_types import is_foreign
from oci.model import Descriptor, ImageIndex, ImageManifest, Schema1Manifest
from oci.names import Digest, RepositoryName, TagName
from oci.transfer.blobs import Blobs, Coming, Errand, Way
from oci.transfer.heads import put
from oci.transfer.meter import Meter, Tally
from oci.transfer.selection import Form, Selection, rewritten
from oci.transfer.sides import Side, at, side_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oci.client import RegistryClient

Known: TypeAlias = Callable[[Digest], Fetched | None]
MOST: Final = 2_000  # manifests of one image
_DEPTH: Final = 4
_WEIGHT: Final = 32 * 2**20  # bytes of the manifests of one image, which are all held until its last blob is there
_UNDER_WAY: Final = 8  # blobs of one image that are waited for at once
# How registries say that what a manifest lists is not there (distribution-spec, "Error Codes").
WANTS_CONTENT: Final = ("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN")


@dataclass(frozen=True, slots=True)
class Order:
    """The manifest `digest` of `source`, by way of `selection`, into `target`; `tag`, if any, is put last."""

    source: RepositoryName
    digest: Digest
    target: RepositoryName
    tag: TagName | None = None
    selection: Selection = field(default_factory=Selection)
    meter: Meter = field(default_factory=Tally)


@dataclass(slots=True)
class Copied:
    """What it took: `digest` stands at the target, `pulls` manifests were fetched; blobs by the way they came."""

    digest: Digest
    pulls: int = 0
    manifests: int = 0
    sent: int = 0
    mounted: int = 0
    there: int = 0
    bytes: int = 0
    is_listed: bool = False  # with its subject, by the target itself
    unread: list[Descriptor] = field(default_factory=list)  # blobs of which the target only says that it has them
    subjects: list[Digest] = field(default_factory=list)  # manifests at both, to which something may be attached

    def note(self, blob: Descriptor, way: Way) -> None:
        match way:
            case Way.SENT:
                self.sent += 1
                self.bytes += blob.size
            case Way.MOUNTED:
                self.mounted += 1
            case _:
                self.there += 1
        if way in {Way.THERE, Way.MOUNTED}:
            self.unread.append(blob)


class Images:
    """Copies images between two registries; threads share it. `known` has manifests that need not be pulled."""

    def __init__(
        self, source: RegistryClient, target: RegistryClient, blobs: Blobs, known: Known = lambda _: None
    ) -> None:
        self._source, self._target, self._blobs, self._known = source, target, blobs, known
        self._ordering = Lock()
        self._puts: dict[tuple[RepositoryName, Digest], Future[bool] | bool] = {}

    def place(self, order: Order, fetched: Fetched | None = None, *, anew: bool = False) -> tuple[Copied, Fetched]:
        """All but the tag; `fetched` is what the order names, where it was asked for already.

        `anew`: also what the target says that it has.

        Nobody sees any of it before `put_tag`: a manifest without a tag, and blobs without a manifest. Raises
        RegistryError, of which `side_of` tells where, and what the watch of blobs raises.
        """
        try:
            return self._place(order, fetched, anew=anew)
        except Refused as refusal:
            if anew or side_of(refusal) is not Side.TARGET or not any(refusal.says(code) for code in WANTS_CONTENT):
                raise
            # What the target said it has, it has not: after a sweep under a cache, or in the middle of one.
            return self._place(order, fetched, anew=True)

    def put_tag(self, order: Order, top: Fetched) -> None:
        if order.tag is not None:
            with at(Side.TARGET):
                put(self._target, order.target, order.tag, top)

    def _place(self, order: Order, fetched: Fetched | None, *, anew: bool) -> tuple[Copied, Fetched]:
        copied = Copied(order.digest)
        top = fetched or self._fetch(order.source, order.digest, copied)
        if isinstance(top.manifest, ImageIndex) and not order.selection.keeps_all(top.manifest):
            top = self._selected(order, top, copied)
        copied.digest = top.digest
        parts = list(self._parts(order, top, copied, anew=anew))
        for part in parts:
            order.meter.go_on()
            copied.is_listed = self._put(order.target, part, anew=anew)
            copied.manifests += 1
        return copied, top

    def _put(self, repository: RepositoryName, part: Fetched, *, anew: bool) -> bool:
        """Once, however many images list it: while distribution stores it again, it truncates the link that was there.

        Whoever puts an index of it in that moment hears that it is unknown.
        """
        told: Future[bool] = Future()
        with self._ordering:
            before = None if anew else self._puts.get((repository, part.digest))
            if before is None:
                self._puts[repository, part.digest] = told
        if before is not None:
            return before if isinstance(before, bool) else before.result()
        try:
            with at(Side.TARGET):
                told.set_result(put(self._target, repository, part.digest, part))
            self._puts[repository, part.digest] = told.result()
        except BaseException as error:
            self._puts.pop((repository, part.digest), None)  # of two that put it anew the other may have done so
            told.set_exception(error)
            raise
        return told.result()

    def _selected(self, order: Order, index: Fetched, copied: Copied) -> Fetched:
        assert isinstance(index.manifest, ImageIndex)  # noqa: S101  its caller has looked
        wanted = order.selection.wanted(index.manifest)
        if order.selection.form is Form.SPARSE:
            return index
        if order.selection.form is Form.CHILD:
            images = [child for child in wanted if not child.is_attestation]
            if len(images) != 1:
                raise BadAnswer(f"it has {len(images)} images of the platform that was asked for, and not one")
            return self._fetch(order.source, images[0].digest, copied)
        return rewritten(index, wanted)

    def _parts(self, order: Order, top: Fetched, copied: Copied, *, anew: bool) -> Iterator[Fetched]:
        """Manifests that are to be put, each after those that it lists; their blobs are there by then."""

        def fetch(digest: Digest) -> Fetched:
            order.meter.go_on()
            return self._fetch(order.source, digest, copied)

        def is_there(digest: Digest) -> bool:
            order.meter.go_on()
            with at(Side.TARGET):
                return not anew and self._target.manifest_exists(order.target, digest)

        def bring(blob: Descriptor) -> Coming:
            return self._blobs.bring(Errand(order.source, order.target, blob, order.meter, anew=anew))

        walk = _Walk(order, copied, fetch, is_there, bring)
        walk.go(top, _DEPTH)
        walk.wait()
        return iter(walk.found.values())

    def _fetch(self, repository: RepositoryName, digest: Digest, copied: Copied) -> Fetched:
        if known := self._known(digest):
            return known
        with at(Side.SOURCE):
            try:
                fetched = self._source.manifest(repository, digest)
            except NotFound as refusal:
                if not refusal.reasons:
                    raise
                raise BadAnswer(f"it is incomplete at the source, where {digest} is missing") from None
        assert fetched is not None  # noqa: S101  no condition was made
        copied.pulls += 1
        return fetched


class _Walk:
    """Through one image, from its top down; what the target has already is not gone into."""

    def __init__(
        self,
        order: Order,
        copied: Copied,
        fetch: Callable[[Digest], Fetched],
        is_there: Callable[[Digest], bool],
        bring: Callable[[Descriptor], Coming],
    ) -> None:
        self._selection, self._meter, self._copied = order.selection, order.meter, copied
        self._fetch, self._is_there, self._bring = fetch, is_there, bring
        self.found: dict[Digest, Fetched] = {}
        self._seen: set[Digest] = set()
        self._weight = 0
        self._under_way: deque[tuple[Descriptor, Coming]] = deque()

    def go(self, part: Fetched, depth: int) -> None:
        self._weight += part.weight
        if len(self.found) >= MOST or self._weight > _WEIGHT or not depth:
            raise TooLarge(f"it lists more than {MOST} manifests, or larger or deeper ones than anybody makes")
        manifest = part.manifest
        if manifest is None:
            raise BadAnswer(part.problem)
        if isinstance(manifest, Schema1Manifest):
            raise BadAnswer("it is in the format of 2014, which registries take no more")
        if isinstance(manifest, ImageIndex):
            self._list(part.digest, manifest, depth)
        else:
            self._bring_all(manifest)
        self._copied.subjects.append(part.digest)
        self.found[part.digest] = part

    def wait(self, most: int = 0) -> None:
        """Until no more than `most` blobs are under way. The first that fails ends the image."""
        while len(self._under_way) > most:
            blob, coming = self._under_way.popleft()
            way = coming.way()
            self._copied.note(blob, way)
            if way is not Way.SENT:
                self._meter.skip(blob.size)

    def _list(self, digest: Digest, index: ImageIndex, depth: int) -> None:
        is_top = not self._seen
        self._seen.add(digest)
        children = self._selection.wanted(index) if is_top else index.manifests
        for child in children:
            if child.digest in self._seen:
                continue
            self._seen.add(child.digest)
            if self._is_there(child.digest):
                self._copied.subjects.append(child.digest)
            else:
                self.go(self._fetch(child.digest), depth - 1)

    def _bring_all(self, manifest: ImageManifest) -> None:
        for blob in {blob.digest: blob for blob in (manifest.config, *manifest.layers)}.values():
            if is_foreign(blob.media_type):
                continue  # it is somewhere else, where nobody may be led by a manifest
            self._meter.expect(blob.size)
            self._under_way.append((blob, self._bring(blob)))
            self.wait(_UNDER_WAY)
