"""Copying several images at once: threads that know registries, and no database.

A copy has two halves. `place` brings all but the tag, which nobody sees. `point` puts the tag; it is asked for by
whoever still has the right to write it, just before.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Self, TypeAlias

from oci.client import RegistryClient
from oci.errors import BadAnswer, NotFound
from oci.fetched import Fetched
from oci.names import Digest, RepositoryName, TagName
from oci.throttle import Throttle
from oci.transfer.attached import Attached, Holds, Wanted
from oci.transfer.blobs import Blobs
from oci.transfer.heads import head, put
from oci.transfer.images import Images, Known, Order
from oci.transfer.meter import Tally
from oci.transfer.rereading import reread
from oci.transfer.selection import Selection
from oci.transfer.sides import Side, at

IMAGES: Final = 4  # at once
BLOBS: Final = 6
_POINTING: Final = 2
_REMEMBERED: Final = 64  # images that were placed last, for their other tags
_LIGHT: Final = 2**16  # bytes of a manifest that is kept for them


class Ended(Exception):  # noqa: N818  somebody asked for it
    """The run is over: what is on its way is given up."""


class TagMoved(Exception):  # noqa: N818  it says what was found
    """The tag of the target points to something else than when this was planned."""


class BackupHeld(Exception):  # noqa: N818  it says what was found
    """The tag under which what is there was to be kept points to something else, which is to stay."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One image: `before` is where its tag points now, and stays under `backup` where that is named.

    `is_deep`: all that the target has of it is read. `is_there`: it is not copied, unless that finds parts missing.
    """

    source: RepositoryName
    digest: Digest
    target: RepositoryName
    tag: TagName | None = None
    selection: Selection = field(default_factory=Selection)
    wanted: Wanted | None = None
    before: Digest | None = None
    backup: TagName | None = None
    is_deep: bool = False
    is_there: bool = False

    @property
    def image(self) -> _Image:
        """What is to be there, whatever tag it gets."""
        return self.source, self.target, self.digest, self.before if self.is_there else None


_Image: TypeAlias = tuple[RepositoryName, RepositoryName, Digest, Digest | None]


@dataclass(frozen=True, slots=True)
class Placed:
    """All but the tag is there, which is to point to `digest`; without `top` it does."""

    digest: Digest
    top: Fetched | None = None
    attached: int = 0  # manifests
    pulls: int = 0


class Meter(Tally):
    """Of one image; what it moves ends with the run, and flows no faster than the throttles let it."""

    def __init__(self, ended: threading.Event, throttles: Iterable[Throttle]) -> None:
        super().__init__()
        self._ended, self._throttles = ended, tuple(throttles)

    def move(self, count: int) -> None:
        super().move(count)
        for throttle in self._throttles:
            throttle.take(count, self._ended)
        if self._ended.is_set():
            raise Ended

    def look(self, _: int) -> None:
        """What is read at the target travels nowhere."""
        self.go_on()

    def go_on(self) -> None:
        if self._ended.is_set():
            raise Ended


class Engine:
    """Between two registries; what flows goes no faster than the throttles let it.

    `holds` tells which tags of the target may not move; it and `homes` are asked in the threads that copy.
    """

    def __init__(  # noqa: PLR0913  each is a part of a copy
        self,
        source: RegistryClient,
        target: RegistryClient,
        *,
        homes: Callable[[Digest], Iterable[RepositoryName]] = lambda _: (),
        throttles: Iterable[Throttle] = (),
        known: Known = lambda _: None,
        holds: Holds = lambda _repository, _tag: False,
        is_same: bool = False,
    ) -> None:
        self._source, self._target, self._throttles, self._holds = source, target, tuple(throttles), holds
        self.ended = threading.Event()
        self._blobs = Blobs(source, target, at_once=BLOBS, homes=homes, is_same=is_same)
        self._images = Images(source, target, self._blobs, known)
        self._attached = Attached(source, target, self._images, holds)
        self._being_placed: dict[_Image, Future[Placed]] = {}
        self._placed: OrderedDict[_Image, Future[Placed]] = OrderedDict()
        self._placing = ThreadPoolExecutor(IMAGES, thread_name_prefix="images")
        self._pointing = ThreadPoolExecutor(_POINTING, thread_name_prefix="tags")

    def meter(self) -> Meter:
        return Meter(self.ended, self._throttles)

    def place(self, errand: Errand, meter: Meter) -> Future[Placed]:
        """Raises RegistryError, of which `side_of` tells where, and Ended. One thread asks for all.

        An image of several tags is brought with the first of them; the others wait, and cost the source nothing. It
        fails for all of them.
        """
        if first := self._being_placed.get(errand.image) or self._placed.get(errand.image):
            return self._placing.submit(self._follow, first)
        future = self._being_placed[errand.image] = self._placing.submit(self._place, errand, meter)
        future.add_done_callback(partial(self._note, errand.image))
        return future

    def point(self, errand: Errand, placed: Placed) -> Future[bool]:
        """Whether the tag was put; not where it points there already. Raises TagMoved and BackupHeld too."""
        return self._pointing.submit(self._point, errand, placed)

    def close(self) -> None:
        """What has not begun never will; blobs that are on their way are given up, and their uploads cancelled."""
        self.ended.set()
        self._placing.shutdown(wait=False, cancel_futures=True)
        self._blobs.close()
        self._placing.shutdown()
        self._pointing.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _note(self, image: _Image, future: Future[Placed]) -> None:
        is_placed = not future.cancelled() and future.exception() is None
        if is_placed and ((top := future.result().top) is None or top.weight <= _LIGHT):
            self._placed[image] = future
            if len(self._placed) > _REMEMBERED:
                self._placed.popitem(last=False)
        del self._being_placed[image]

    def _follow(self, first: Future[Placed]) -> Placed:
        """It began before, so it comes to its end."""
        placed = first.result()
        return Placed(placed.digest, placed.top)

    def _place(self, errand: Errand, meter: Meter) -> Placed:
        if self.ended.is_set():
            raise Ended
        if errand.is_there and errand.before is not None and self._is_whole(errand, errand.before, meter):
            return Placed(errand.before)
        order = Order(errand.source, errand.digest, errand.target, errand.tag, errand.selection, meter=meter)
        copied, top = self._images.place(order, anew=errand.is_there)
        if errand.is_deep and not errand.is_there and not self._is_whole(errand, top.digest, meter):
            copied, top = self._images.place(order, anew=True)
        attached = self._attached.bring(order, copied, errand.wanted) if errand.wanted else 0
        return Placed(top.digest, top, attached, copied.pulls)

    def _is_whole(self, errand: Errand, digest: Digest, meter: Meter) -> bool:
        """False where a part is missing; one of other bytes cannot be mended from here, and raises DigestMismatch."""
        try:
            reread(self._target, errand.target, digest, meter.look)
        except NotFound:
            return False
        return True

    def _point(self, errand: Errand, placed: Placed) -> bool:
        if errand.tag is None or placed.top is None:
            return False
        if self.ended.is_set():
            raise Ended
        with at(Side.TARGET):
            now = head(self._target, errand.target, errand.tag)
            if now is not None and now.digest == placed.digest:
                return False
            if (now.digest if now else None) != errand.before:
                raise TagMoved
            if errand.backup and errand.before:
                self._back_up(errand.target, errand.before, errand.backup)
            put(self._target, errand.target, errand.tag, placed.top)
        return True

    def _back_up(self, repository: RepositoryName, digest: Digest, tag: TagName) -> None:
        if self._holds(repository, tag):
            now = head(self._target, repository, tag)
            if now is not None and now.digest != digest:
                raise BackupHeld
        kept = self._target.manifest(repository, digest)
        if kept is None:
            raise BadAnswer("what is there cannot be read, so it cannot be kept")
        put(self._target, repository, tag, kept)
