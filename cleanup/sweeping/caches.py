"""What a registry remembers of blobs in Redis, so that what is swept is forgotten there too.

Distribution clears the entry of a blob when it is unlinked, but not that the repository has it (registry/storage/cache/
redis of 2.8 and 3): after another push elsewhere it would say that the swept blob is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import redis
from django.utils.translation import gettext_noop

from cleanup.models import SweepTerms
from jobs.running import JobFailed
from oci.storage.marking import Link

_PATIENCE: Final = 5.0  # seconds
_AWAY: Final = gettext_noop(
    "The cache of the registry cannot be asked to forget what is swept: %(fault)s. Look at its address in the terms of"
    " sweeps. Nothing was deleted."
)
_NO_ADDRESS: Final = gettext_noop(
    "The registry has a cache in Redis, and nobody has said where: without its address what is swept cannot be"
    " forgotten there. Nothing was deleted."
)
SENTENCES: Final = (_AWAY, _NO_ADDRESS)


class BlobCache(Protocol):
    def forget(self, links: Iterable[Link]) -> None:
        """That these repositories have these blobs. Raises JobFailed."""


class OwnMemory:
    """The registry's own, or none: unlinking clears it."""

    def forget(self, links: Iterable[Link]) -> None:
        pass


class InRedis:
    def __init__(self, url: str) -> None:
        try:
            self._redis = redis.Redis.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE)
            self._redis.ping()
        except (redis.RedisError, ValueError) as error:
            raise JobFailed(_AWAY % {"fault": type(error).__name__}) from error  # its text may name a password

    def forget(self, links: Iterable[Link]) -> None:
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for repository, digest in links:
                    pipe.srem(f"repository::{repository}::blobs", digest)
                    pipe.delete(f"repository::{repository}::blobs::{digest}", f"blobs::{digest}")
                pipe.execute()
        except redis.RedisError as error:
            raise JobFailed(_AWAY % {"fault": type(error).__name__}) from error


def cache_of(terms: SweepTerms) -> BlobCache:
    """Raises JobFailed where it cannot be reached."""
    if terms.cache != SweepTerms.Cache.REDIS:
        return OwnMemory()
    if not terms.redis_url:
        raise JobFailed(_NO_ADDRESS)
    return InRedis(terms.redis_url)


def links_of(digest: str, links: Sequence[Sequence[str]]) -> list[Link]:
    """Those of a row, with the digest under which its data are kept for each repository too."""
    pairs = {(repository, named) for repository, named in links} | {(repository, digest) for repository, _ in links}
    return [Link(repository, named) for repository, named in sorted(pairs)]  # type: ignore[arg-type]  # parsed before
