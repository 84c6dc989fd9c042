"""How much a run will move, and what that costs of a quota: manifests are read for it, and kept for the run."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from catalog.models import RepositoryBlob
from catalog.recording.chunks import by_number, by_weight
from jobs.running import Lease
from oci.client import RegistryClient
from oci.errors import BadAnswer, DigestMismatch, NotFound, TooLarge
from oci.fetched import Fetched
from oci.media_types import is_foreign
from oci.model import Descriptor, ImageIndex, ImageManifest
from oci.names import Digest, RepositoryName, parse_repository
from oci.transfer.blobs import WORTH_ASKING
from oci.transfer.selection import Selection
from oci.transfer.sides import Side, at
from sync.models import Item, PlannedManifest, Run
from sync.terms import Terms

_Read: TypeAlias = tuple[Item, Sequence[Descriptor] | None]  # the blobs of its image; None: it cannot be read

_THREADS: Final = 4
_DEPTH: Final = 3
_MOST: Final = 2_000  # manifests of one image
_TOGETHER: Final = 500
_AHEAD: Final = 32  # images that are read before the first of them is weighed
_HEAVIEST: Final = 32 * 2**20  # bytes of the manifests of one image, as a copy takes them
_HELD: Final = 32 * 2**20  # bytes of manifests that are kept for a run


def weigh(run: Run, lease: Lease, source: RegistryClient, tell: Callable[[int, int], None]) -> None:
    """Write how many bytes travel at most, by item and in all, and how many manifests the source was asked for.

    What the catalog knows to be in the repository does not travel, nor what is in another one of the target and large
    enough to be linked from there. One that cannot be read has no size. Raises RegistryError where the source answers
    no more.
    """
    items = list(run.items.open().filter(act=Item.Act.COPY).in_order())
    reader = _Reader(source, Terms.read(run.terms).selection)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="weighing") as pool:
        try:
            read = ((item, blobs) for few in by_number(items, _AHEAD) for item, blobs in reader.read_all(few, pool))
            for some in by_weight(_told(read, len(items), tell), _blobs_of, _TOGETHER):
                _weigh(run, some, reader.seen)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    run.size = sum(item.size or 0 for item in items)
    run.pulls = run.pulls_spent = len(reader.pulled)
    for rows in by_number(items, _TOGETHER):
        with lease.writing():
            Item.objects.bulk_update(rows, ["size"])
    for manifests in by_number(_kept(run, reader.found.values()), _TOGETHER):
        with lease.writing():
            PlannedManifest.objects.bulk_create(manifests, ignore_conflicts=True)
    with lease.writing():
        run.save(update_fields=["size", "pulls", "pulls_spent"])


def known_of(run: Run) -> Callable[[Digest], Fetched | None]:
    """The manifests that were read when `run` was planned; threads may ask."""
    kept = {
        digest: (media_type, bytes(content))
        for digest, media_type, content in PlannedManifest.objects.filter(run=run).values_list(
            "digest", "media_type", "compressed"
        )
    }

    def known(digest: Digest) -> Fetched | None:
        if (row := kept.get(str(digest))) is None:
            return None
        return Fetched(digest, row[0], zlib.decompress(row[1]))

    return known


@dataclass(slots=True)
class _Below:
    """What was found below one image, and how many bytes its manifests have."""

    manifests: set[Digest]
    blobs: dict[Digest, Descriptor] = field(default_factory=dict)
    weight: int = 0


class _Reader:
    """`found`: manifests that are kept; `pulled`: all that were read; `seen`: blobs that an item before needs too."""

    def __init__(self, source: RegistryClient, selection: Selection) -> None:
        self._source, self._selection = source, selection
        self.found: dict[Digest, Fetched] = {}
        self.pulled: set[Digest] = set()
        self._held = 0
        self.seen: set[Digest] = set()

    def read_all(self, items: Sequence[Item], pool: ThreadPoolExecutor) -> Iterator[_Read]:
        return zip(items, pool.map(self.read, items), strict=True)

    def read(self, item: Item) -> list[Descriptor] | None:
        """The blobs of its image; None where not all of it can be read, which the run will say."""
        name, top = parse_repository(item.source_repository), Digest.parse(item.digest)
        below = _Below({top})
        try:
            self._read(name, top, below, _DEPTH)
        except (NotFound, BadAnswer, DigestMismatch, TooLarge):
            return None
        return list(below.blobs.values())

    def _read(self, name: RepositoryName, digest: Digest, below: _Below, depth: int) -> None:
        fetched = self.found.get(digest) or self._fetch(name, digest)
        below.weight += fetched.weight
        if below.weight > _HEAVIEST:
            raise TooLarge(f"its manifests have more than {_HEAVIEST} bytes")
        match fetched.manifest:
            case ImageIndex() as index if depth:
                children = self._selection.wanted(index) if depth == _DEPTH else index.manifests
                for child in children:
                    if child.digest not in below.manifests and len(below.manifests) < _MOST:
                        below.manifests.add(child.digest)
                        self._read(name, child.digest, below, depth - 1)
            case ImageManifest() as image:
                parts = [part for part in (image.config, *image.layers) if not is_foreign(part.media_type)]
                below.blobs.update((part.digest, part) for part in parts)

    def _fetch(self, name: RepositoryName, digest: Digest) -> Fetched:
        with at(Side.SOURCE):
            fetched = self._source.manifest(name, digest)
        assert fetched is not None  # noqa: S101  no condition was made
        self.pulled.add(digest)
        if self._held + fetched.weight <= _HELD:
            self._held += fetched.weight
            # As it came: what is parsed of it is many times larger.
            self.found[digest] = Fetched(digest, fetched.media_type, fetched.content)
        return fetched


def _told(read: Iterable[_Read], total: int, tell: Callable[[int, int], None]) -> Iterator[_Read]:
    for number, one in enumerate(read):
        tell(number, total)
        yield one


def _blobs_of(read: _Read) -> int:
    """How many it has; one that has none weighs something too, or there would be no end to those taken together."""
    return 1 + len(read[1] or ())


def _weigh(run: Run, read: Sequence[_Read], seen: set[Digest]) -> None:
    """Each blob is of the first image that needs it; the catalog is asked for those of all of them at once."""
    new: list[tuple[Item, dict[Digest, Descriptor]]] = []
    for item, blobs in read:
        if blobs is not None:
            new.append((item, {blob.digest: blob for blob in blobs if blob.digest not in seen}))
            seen.update(new[-1][1])
    there = set(_known(run, [(item.repository, blob) for item, its in new for blob in its.values()]))
    for item, its in new:
        item.size = sum(blob.size for digest, blob in its.items() if (item.repository, digest) not in there)


def _known(run: Run, wanted: Iterable[tuple[str, Descriptor]]) -> Iterable[tuple[str, Digest]]:
    """Those blobs that do not travel into these repositories, as far as the catalog knows."""
    rows = RepositoryBlob.objects.filter(repository__registry=run.target, repository__gone_at=None)
    for some in by_number(wanted, _TOGETHER):
        large = {str(blob.digest) for _, blob in some if blob.size >= WORTH_ASKING}
        small = {str(blob.digest) for _, blob in some} - large
        anywhere = rows.filter(blob__digest__in=large).values_list("blob__digest", flat=True).distinct()
        here = rows.filter(blob__digest__in=small, repository__name__in={repository for repository, _ in some})
        linked = set(anywhere) if large else set()
        held = set(here.values_list("repository__name", "blob__digest")) if small else set()
        for repository, blob in some:
            if str(blob.digest) in linked or (repository, str(blob.digest)) in held:
                yield repository, blob.digest


def _kept(run: Run, manifests: Iterable[Fetched]) -> Iterable[PlannedManifest]:
    for fetched in manifests:
        compressed = zlib.compress(fetched.content)
        yield PlannedManifest(run=run, digest=str(fetched.digest), media_type=fetched.media_type, compressed=compressed)
