"""Looking at a registry through its API, which may say of a blob that it is there when it is not: so it is read."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from catalog.models import Repository, Tag
from cleanup.models import Check
from cleanup.verifying.faults import Code, Fault, says_absent
from cleanup.verifying.looking import Listed, Pointed, Watch
from oci import routes
from oci.client import RegistryClient
from oci.errors import Denied, DigestMismatch, NotFound, Refused, TooLarge, Unauthorized, Unsupported
from oci.faults import CutShort
from oci.fetched import Fetched
from oci.model import Descriptor
from oci.names import Digest, RepositoryName, TagName
from oci.throttle import Throttle
from oci.transfer.verified import Verified
from registries.models import Registry

_THREADS: Final = 16  # how many of them ask at once, the pace of the registry decides
_FIRST_BYTE: Final = 64 * 2**10  # bytes that are read at most, where a registry knows no ranges
_NO_SUCH_RANGE: Final = 416


class ThroughApi:
    """The database is asked in the thread of the job alone: by `repositories` and `known`."""

    way = Check.Way.API
    threads = _THREADS

    def __init__(self, registry: Registry, client: RegistryClient, throttle: Throttle | None) -> None:
        self._registry, self._client, self._throttle = registry, client, throttle

    def repositories(self) -> list[str]:
        """Those that it lists, where it lets us read that, and those that scans know."""
        known = set(Repository.objects.live().filter(registry=self._registry).values_list("name", flat=True))
        with suppress(Unauthorized, Denied, NotFound, Unsupported):
            for page in self._client.repositories():
                known.update(page.names)
        return list(known)

    def tags(self, repository: RepositoryName) -> Listed | None:
        names: list[TagName] = []
        try:
            for page in self._client.tags(repository):
                names += page.names
        except NotFound as error:
            if error.unknown_name:
                return None
            raise
        known = self._known(repository)
        return Listed({name: known.get(name, "") for name in names}, {})

    def resolve(self, repository: RepositoryName, tag: TagName, known: str) -> Pointed:
        """What the catalog knows it to be costs a short answer; whether that manifest is there, it does not tell."""
        unless = Digest.parse(known) if known else None
        try:
            fetched = self._client.manifest(repository, tag, unless=unless)
        except NotFound as error:
            if not says_absent(error):
                raise
            return Pointed(None, fault=Fault.of_tag(known))
        return Pointed(unless) if fetched is None else Pointed(fetched.digest, fetched)

    def manifest(self, repository: RepositoryName, digest: Digest, code: Code) -> Fetched | Fault:
        try:
            fetched = self._client.manifest(repository, digest)
        except NotFound as error:
            if not says_absent(error):
                raise
            return Fault.absent(code, digest)
        except DigestMismatch:
            return Fault.differs(digest)
        assert fetched is not None  # noqa: S101  there was no condition
        return fetched

    def blob(self, repository: RepositoryName, blob: Descriptor, code: Code) -> Fault | None:
        path, scope = routes.blob(repository, blob.digest), routes.scope(repository, "pull")
        try:
            answer = self._client.transport.exchange(
                "GET", path, headers={"Range": "bytes=0-0"}, limit=_FIRST_BYTE, accept_statuses=(200, 206), scope=scope
            )
        except TooLarge:
            return None  # it knows no ranges, and began to send all of it
        except CutShort:
            return Fault.absent(code, blob.digest)  # its size is still in a cache, and nothing follows
        except NotFound as error:
            if not says_absent(error):
                raise
            return Fault.absent(code, blob.digest)
        except Refused as refusal:
            if refusal.answered == _NO_SUCH_RANGE and not blob.size:
                return None  # an empty blob has no first byte
            raise
        return None if answer.content or not blob.size else Fault.absent(code, blob.digest)

    def read(self, repository: RepositoryName, blob: Descriptor, code: Code, watch: Watch) -> Fault | None:
        if (fault := self.blob(repository, blob, code)) is not None:
            return fault  # else what the registry never sends would be asked for again and again

        def piece(size: int) -> None:
            if self._throttle is not None:
                self._throttle.take(size)
            watch(size)

        try:
            with Verified(self._client, repository, blob, piece) as body:
                for _ in body:
                    pass
        except (DigestMismatch, TooLarge):
            return Fault.differs(blob.digest)
        except NotFound as error:
            if not says_absent(error):
                raise
            return Fault.absent(code, blob.digest)
        except CutShort:
            return self.blob(repository, blob, code) or Fault.differs(blob.digest)
        return None

    def _known(self, repository: RepositoryName) -> dict[str, str]:
        tags = Tag.objects.live().filter(repository__registry=self._registry, repository__name=repository)
        return dict(tags.exclude(presence=None).values_list("name", "presence__manifest__digest"))
