"""Blobs from one registry to another: asked for, linked, or sent; each once, however many images have it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from oci.errors import BadAnswer, Refused, TooManyRequests, Unauthorized, Unavailable, Unreachable
from oci.retries import pause
from oci.streams import PIECE
from oci.transfer.sides import Side, at, side_of
from oci.transfer.uploads import ChunkRefused, Habits, Session
from oci.transfer.verified import Verified

if TYPE_CHECKING:
    from oci.client import RegistryClient
    from oci.model import Descriptor
    from oci.names import Digest, RepositoryName
    from oci.transfer.meter import Meter

TRIES: Final = 3
WORTH_ASKING: Final = 2**20  # bytes: a smaller blob is sent sooner than anybody has looked where else it is
Homes: TypeAlias = Callable[["Digest"], Iterable["RepositoryName"]]


class Way(StrEnum):
    """How a blob came to be there."""

    THERE = "there"  # by what the target says
    MOUNTED = "mounted"
    SENT = "sent"
    HAD = "had"  # another image of this run has brought it


class Coming(NamedTuple):
    """A blob on its way, and whether it was asked for before."""

    future: Future[Way]
    is_first: bool = True

    def way(self) -> Way:
        """How it came, once it is there. Raises what ended it."""
        way = self.future.result()
        return way if self.is_first else Way.HAD


@dataclass(frozen=True, slots=True)
class Place:
    repository: RepositoryName
    digest: Digest


@dataclass(frozen=True, slots=True)
class Errand:
    """`blob` of `source` into `target`; `meter` hears of each piece, in the thread that copies it.

    `anew`: whatever the target says, it is sent, since a manifest was refused for the want of it.
    """

    source: RepositoryName
    target: RepositoryName
    blob: Descriptor
    meter: Meter
    anew: bool = False


class Blobs:
    """Copies blobs, at most `at_once` at the same time; threads share it.

    `homes` tells repositories of the target that have a blob, as far as anybody knows, to link it from; it is asked
    in the thread that copies it. `is_same`: both are one registry.
    """

    def __init__(
        self,
        source: RegistryClient,
        target: RegistryClient,
        *,
        at_once: int,
        homes: Homes = lambda _: (),
        is_same: bool = False,
    ) -> None:
        self._source, self._target = source, target
        self._homes, self._is_same = homes, is_same
        self._habits = Habits()
        self._coming: dict[Place, Future[Way]] = {}
        self._there: dict[Place, Way] = {}
        self._first: dict[Digest, Place] = {}  # where a blob of this run came to first, or is coming to
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="blobs")

    def bring(self, errand: Errand) -> Coming:
        """One that was asked for before is not copied once more, unless it failed."""
        place = Place(errand.target, errand.blob.digest)
        with self._lock:
            if place in self._coming:
                return Coming(self._coming[place], is_first=False)
            if place in self._there and not errand.anew:
                return Coming(_done(self._there[place]), is_first=False)
            first = self._first.setdefault(place.digest, place)
            ahead = self._coming.get(first)
            future = self._coming[place] = self._pool.submit(self._copy, errand, place, ahead)
        future.add_done_callback(partial(self._has_come, place))
        return Coming(future)

    def close(self) -> None:
        """What has not begun never will; what has, ends."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _has_come(self, place: Place, future: Future[Way]) -> None:
        with self._lock:
            if not future.cancelled() and future.exception() is None:
                self._there[place] = future.result()
            del self._coming[place]

    def _copy(self, errand: Errand, place: Place, ahead: Future[Way] | None) -> Way:
        tried = 0
        with at(Side.TARGET):
            while True:
                tried += 1
                if not errand.anew and self._target.blob_exists(place.repository, place.digest):
                    return Way.THERE
                try:
                    return self._bring(errand, place, ahead)
                except (Unreachable, Unavailable, Unauthorized) as error:
                    # The source was asked for the rest as often as it helps; the target wants the blob from its start,
                    # with another token where that of a stream, which goes only once, was refused.
                    if side_of(error) is Side.SOURCE or tried >= (2 if isinstance(error, Unauthorized) else TRIES):
                        raise
                    pause(tried, None)

    def _bring(self, errand: Errand, place: Place, ahead: Future[Way] | None) -> Way:
        session: Session | None = None
        if not errand.anew:
            session, is_there = self._linked(errand, place, ahead)
            if is_there:
                return Way.MOUNTED
        while True:
            try:
                # Opened before the upload: nobody waits for a turn at the source while it holds one at the target.
                with Verified(self._source, errand.source, errand.blob, errand.meter.move) as body:
                    content = b"".join(body) if len(body) <= PIECE else body
                    session = session or Session.begin(self._target, place.repository, self._habits)
                    session.send(place.digest, content)
            except BaseException as error:
                if session is not None:
                    session.cancel()
                if not isinstance(error, ChunkRefused):
                    raise
                session = None
            else:
                return Way.SENT

    def _linked(self, errand: Errand, place: Place, ahead: Future[Way] | None) -> tuple[Session | None, bool]:
        """Whether the target could link it to one that it has; else the upload that it opened instead, if it did."""
        for home in self._candidates(errand, place, ahead):
            try:
                session = Session.mount(self._target, place.repository, self._habits, errand.blob, home)
            except (TooManyRequests, Unavailable):
                raise
            except (Refused, BadAnswer):
                continue  # some know no mounts at all, and answer in words of their own
            return session, session is None
        return None, False

    def _candidates(self, errand: Errand, place: Place, ahead: Future[Way] | None) -> list[RepositoryName]:
        """Repositories of the target to link it from, the likeliest first; two tries cost less than a large blob."""
        found: dict[RepositoryName, None] = {}
        if self._is_same:
            found[errand.source] = None
        # Whoever is ahead began before, so it is waited for.
        if ahead is None or ahead.exception() is None:
            found[self._first[place.digest].repository] = None
        if errand.blob.size >= WORTH_ASKING:
            found |= dict.fromkeys(self._homes(place.digest))
        found.pop(place.repository, None)
        return list(found)[:2]


def _done(way: Way) -> Future[Way]:
    future: Future[Way] = Future()
    future.set_result(way)
    return future
