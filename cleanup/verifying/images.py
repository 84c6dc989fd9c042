"""Looking at the images of one repository: from its tags down, each manifest and each blob once, however many share it.

What seems broken is looked at once more, anew: a tag may be deleted, and an image pushed again, while it is looked at.
A registry deletes a manifest before the tags that point to it, for which it reads all tags; so a pause lies between,
and where that is all that is wrong, a third look follows after a longer one: the registry may have much to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, NamedTuple, TypeAlias, TypeVar

from catalog.scanning.patience import Patience
from cleanup.verifying.crew import Crew
from cleanup.verifying.faults import Code, Fault
from cleanup.verifying.looking import Listed, Look, Pointed
from oci.errors import RegistryError, Unreachable
from oci.fetched import Fetched
from oci.media_types import is_foreign
from oci.model import Descriptor, ImageIndex, ImageManifest
from oci.names import Digest, RepositoryName, TagName
from oci.storage import StorageFault, Unreadable

_TOGETHER: Final = 500  # tags
_PAUSE: Final = 0.2  # seconds between the two looks, and more
_PAUSE_A_TAG: Final = 0.0005  # for each tag of the repository,
_LONGEST_PAUSE: Final = 5.0  # but no more than that
_LAST_PAUSE: Final = 3.0  # before the third look
_DEPTH: Final = 4  # indexes in indexes: nobody makes deeper ones
_MOST_FAULTS: Final = 5  # that are told of one tag

T = TypeVar("T")
R = TypeVar("R")
Told: TypeAlias = Callable[[Digest], object]


@dataclass(slots=True)
class Tally:
    """What a check looked at so far: each digest counts once, whichever repositories have it."""

    manifests: set[Digest] = field(default_factory=set)
    blobs: set[Digest] = field(default_factory=set)
    hashed: set[Digest] = field(default_factory=set)  # of them those that are right to the last byte
    size: int = 0  # bytes that were read
    before: tuple[int, int, int] = (0, 0, 0)  # manifests, blobs and bytes that were counted before it was interrupted

    @property
    def figures(self) -> tuple[int, int, int]:
        """Manifests, blobs and bytes; where it was interrupted, what repositories share counts once more."""
        manifests, blobs, size = self.before
        return manifests + len(self.manifests), blobs + len(self.blobs), size + self.size


class Seen(NamedTuple):
    """What a tag came to: `digest` is "" where nobody could tell it."""

    digest: str
    faults: tuple[Fault, ...]

    @property
    def is_broken(self) -> bool:
        return any(fault.is_broken for fault in self.faults)

    @property
    def is_lost(self) -> bool:
        """Its own manifest is not there, as for a moment while it is deleted."""
        return any(fault.code == Code.NO_MANIFEST for fault in self.faults)


class _Node(NamedTuple):
    """A manifest: what it lists, and what is wrong with itself."""

    children: tuple[Digest, ...] = ()
    blobs: tuple[Descriptor, ...] = ()  # its config first
    fault: Fault | None = None


class Images:
    def __init__(self, look: Look, crew: Crew, tally: Tally, patience: Patience, *, is_deep: bool) -> None:
        self._look, self._crew, self._tally, self._patience = look, crew, tally, patience
        self._is_deep = is_deep
        self.silence: RegistryError | None = None  # the last answer that did not come

    def see(
        self, repository: RepositoryName, listed: Listed, chosen: Iterable[TagName], *, pauses: bool
    ) -> dict[TagName, Seen]:
        """What each of the `chosen` tags came to; those that went meanwhile are left out.

        `pauses`: before the second look, which may raise an alarm.
        Raises Unreachable where the registry has stopped answering, and StorageFault where its folder is gone.
        """
        seen = self._see(repository, listed, chosen)
        pause = min(_LONGEST_PAUSE, _PAUSE + _PAUSE_A_TAG * len(listed.tags)) if pauses else 0
        self._look_anew(repository, seen, [tag for tag, one in seen.items() if one.is_broken], pause)
        if pauses:
            self._look_anew(repository, seen, [tag for tag, one in seen.items() if one.is_lost], _LAST_PAUSE)
        return seen

    def _look_anew(
        self, repository: RepositoryName, seen: dict[TagName, Seen], doubtful: Sequence[TagName], pause: float
    ) -> None:
        if not doubtful:
            return
        time.sleep(pause)
        anew = self._look.tags(repository)
        for tag in doubtful:
            del seen[tag]
        if anew is not None:
            seen |= self._see(repository, anew, [tag for tag in doubtful if tag in anew.tags])

    def _see(self, repository: RepositoryName, listed: Listed, chosen: Iterable[TagName]) -> dict[TagName, Seen]:
        one = _Repository(repository, self._look, self._tally, self._crew.check, is_deep=self._is_deep)
        seen: dict[TagName, Seen] = {}
        rest = iter(chosen)
        while chunk := list(islice(rest, _TOGETHER)):
            seen |= self._chunk(one, listed, chunk)
        return seen

    def _chunk(self, one: _Repository, listed: Listed, tags: list[TagName]) -> dict[TagName, Seen]:
        seen = {tag: Seen("", (listed.faults[tag],)) for tag in tags if tag in listed.faults}
        asked = [(tag, listed.tags[tag]) for tag in tags if tag not in listed.faults]
        roots: dict[TagName, Digest] = {}
        for (tag, known), pointed in zip(asked, self._map(one.resolve, asked), strict=True):
            if isinstance(pointed, Fault):
                seen[tag] = Seen(known, (replace(pointed, part=known),))
            elif pointed.digest is None:
                seen[tag] = Seen(known, (pointed.fault,) if pointed.fault else ())
            else:
                roots[tag] = pointed.digest
                if pointed.fetched is not None:
                    one.fetched[pointed.digest] = pointed.fetched
        self._descend(one, set(roots.values()))
        for tag, digest in roots.items():
            seen[tag] = Seen(str(digest), tuple(islice(one.faults_of(digest), _MOST_FAULTS)))
        one.forget()
        return seen

    def _descend(self, one: _Repository, digests: set[Digest]) -> None:
        for _ in range(_DEPTH):
            wanted = sorted(digests - one.nodes.keys())
            for digest, node in zip(wanted, self._map(one.node, wanted), strict=True):
                one.nodes[digest] = _Node(fault=node) if isinstance(node, Fault) else node
                self._tally.manifests.add(digest)
            digests = {child for digest in wanted for child in one.nodes[digest].children}
        for digest in digests - one.nodes.keys():
            one.nodes[digest] = _Node(fault=Fault.too_deep(digest))
        blobs = list(one.blobs())
        for (blob, _), fault in zip(blobs, self._map(one.blob, blobs), strict=True):
            one.known[blob.digest] = fault
            self._tally.blobs.add(blob.digest)
            if fault is None and self._is_deep:
                self._tally.hashed.add(blob.digest)

    def _map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R | Fault]:
        """What could not be asked is a Fault of its own."""

        def asked(item: T) -> R | Fault:
            self._patience.check()
            try:
                found = function(item)
            except RegistryError as error:
                if isinstance(error, StorageFault) and not isinstance(error, Unreadable):
                    raise  # the folder is not there any more
                self._patience.heard(error)
                if isinstance(error, Unreachable):
                    self.silence = error
                return Fault.unasked(_part(item), error)
            self._patience.heard(None)
            return found

        return self._crew.map(asked, items)


class _Repository:
    """What is known of one repository; `known` is of its blobs, and outlives the manifests, of which there are more."""

    def __init__(
        self, name: RepositoryName, look: Look, tally: Tally, check: Callable[[], None], *, is_deep: bool
    ) -> None:
        self._name, self._look, self._is_deep, self._tally, self._check = name, look, is_deep, tally, check
        self.nodes: dict[Digest, _Node] = {}
        self.fetched: dict[Digest, Fetched] = {}
        self.known: dict[Digest, Fault | None] = {}

    def forget(self) -> None:
        self.nodes.clear()
        self.fetched.clear()

    def resolve(self, item: tuple[TagName, str]) -> Pointed:
        return self._look.resolve(self._name, *item)

    def node(self, digest: Digest) -> _Node:
        fetched: Fetched | Fault | None = self.fetched.pop(digest, None)
        if fetched is None:
            fetched = self._look.manifest(self._name, digest, Code.NO_MANIFEST)
        if isinstance(fetched, Fault):
            return _Node(fault=fetched)
        match fetched.manifest:
            case ImageIndex(manifests=children):
                return _Node(children=tuple(child.digest for child in children))
            case ImageManifest() as image:
                return _Node(blobs=(image.config, *image.layers))
        return _Node(fault=Fault.untold(digest, fetched.problem))

    def blobs(self) -> Iterator[tuple[Descriptor, Code]]:
        """Those of its manifests that nobody has looked at yet, each once."""
        begun = set(self.known)
        for node in self.nodes.values():
            for place, blob in enumerate(node.blobs):
                if blob.digest not in begun and not is_foreign(blob.media_type):
                    begun.add(blob.digest)
                    yield blob, Code.NO_LAYER if place else Code.NO_CONFIG

    def blob(self, item: tuple[Descriptor, Code]) -> Fault | None:
        blob, code = item
        if not self._is_deep or blob.digest in self._tally.hashed:
            return self._look.blob(self._name, blob, code)
        return self._look.read(self._name, blob, code, self._read)

    def _read(self, size: int) -> None:
        self._check()
        self._tally.size += size  # of two threads one may be lost: it is a figure for people

    def faults_of(self, root: Digest) -> Iterator[Fault]:
        """Of all that is below it, in the order in which it lists that."""
        waiting, passed = [root], {root}
        while waiting:
            digest = waiting.pop(0)
            node = self.nodes.get(digest, _Node())
            if node.fault is not None:
                is_child = digest != root and node.fault.code == Code.NO_MANIFEST
                yield replace(node.fault, code=Code.NO_CHILD) if is_child else node.fault
            for blob in node.blobs:
                if (fault := self.known.get(blob.digest)) is not None and blob.digest not in passed:
                    passed.add(blob.digest)
                    yield fault
            waiting += [child for child in node.children if child not in passed]
            passed.update(node.children)


def _part(item: object) -> str:
    match item:
        case Digest():
            return str(item)
        case (Descriptor() as blob, _):
            return str(blob.digest)
    return ""
