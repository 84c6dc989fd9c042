"""The distribution API, one method for each endpoint that Berth needs (distribution-spec 1.1, "Endpoints").

Every method raises the errors of `oci.errors` and no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self
from urllib.parse import urlencode

from requests.utils import parse_header_links

from oci import digests, routes
from oci.errors import BadAnswer, DigestMismatch, NotFound, Refused, TooLarge
from oci.faults import CutShort
from oci.fetched import Fetched
from oci.media_types import ACCEPTED, OCI_INDEX, bare
from oci.model import MANIFEST_LIMIT, Descriptor, ImageIndex, parse_manifest
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag
from oci.pages import NameT, Page, page_of
from oci.probe import Capabilities, probe
from oci.stored import check_blob, check_manifest
from oci.transport import Answer, Endpoint, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

__all__ = ["Capabilities", "Fetched", "Page", "Ping", "RegistryClient", "Upload"]

LIST_LIMIT: Final = 8 * 2**20  # bytes of one page; 2.8 gives all tags of a repository in one
MOST_PAGES: Final = 10_000
MOST_REFERRERS: Final = 1_000
_REFERRER_PAGES: Final = 20
_SMALLER_PAGE: Final = 100
_FIRST_BYTE: Final = 64 * 2**10  # bytes that are read of a blob at most, where a registry knows no ranges
_NO_SUCH_RANGE: Final = 416
_ACCEPT: Final = {"Accept": ", ".join(ACCEPTED)}
_ACCEPT_INDEX: Final = {"Accept": OCI_INDEX}


@dataclass(frozen=True, slots=True)
class Ping:
    """`generation` is 2 or 3 for the two lines of distribution, by the Content-Type that they differ in."""

    api_version: str
    generation: Literal[2, 3] | None
    auth: Literal["none", "basic", "bearer"]


@dataclass(frozen=True, slots=True)
class Upload:
    """An open upload: the `uuid` by which the registry keeps it, and where it goes on."""

    repository: RepositoryName
    uuid: str
    path: str


class RegistryClient:
    """Made of a Transport, or of an Endpoint for one with the usual bounds. Threads may share it."""

    def __init__(self, registry: Transport | Endpoint, page_size: int = 1000) -> None:
        self.transport = Transport(registry) if isinstance(registry, Endpoint) else registry
        self.page_size = page_size  # becomes smaller when the registry refuses it; 0 leaves it to the registry

    def ping(self) -> Ping:
        """Whether this is a registry that lets us in; BadAnswer for any other web site."""
        answer = self.transport.exchange("GET", routes.BASE)
        version = answer.headers.get("Docker-Distribution-Api-Version", "")
        content_type = answer.headers.get("Content-Type", "")
        if not version and bare(content_type) != "application/json":
            raise BadAnswer("what answers at this address is no registry")
        generation: Literal[2, 3] | None = None
        if version and bare(content_type) == "application/json":
            generation = 2 if "charset" in content_type.lower() else 3
        return Ping(version[:64], generation, self.transport.scheme)

    def repositories(self) -> Iterator[Page[RepositoryName]]:
        return self._pages(routes.CATALOG, "repositories", parse_repository, routes.CATALOG_SCOPE)

    def tags(self, repository: RepositoryName) -> Iterator[Page[TagName]]:
        return self._pages(routes.tags(repository), "tags", parse_tag, routes.scope(repository, "pull"))

    def manifest(
        self,
        repository: RepositoryName,
        target: TagName | Digest,
        *,
        unless: Digest | None = None,
    ) -> Fetched | None:
        """The manifest that `target` names; None when it still is `unless` (and then no pull is counted).

        Ask with `unless` for tags only: distribution answers 304 to a digest without looking whether it is there.
        """
        condition = {"If-None-Match": f'"{unless}"'} if unless else {}
        answer = self.transport.exchange(
            "GET",
            routes.manifest(repository, target),
            headers={**_ACCEPT, **condition},
            limit=MANIFEST_LIMIT,
            accept_statuses=(200, 304) if unless else (200,),
            scope=routes.scope(repository, "pull"),
        )
        if answer.status == 304:  # noqa: PLR2004  Not Modified
            return None
        return Fetched(digests.verified(answer, target), answer.headers.get("Content-Type", ""), answer.content)

    def manifest_exists(self, repository: RepositoryName, digest: Digest) -> bool:
        """Whether the manifest is in this repository; no bytes travel, and no pull is counted for a HEAD."""
        return self._exists(routes.manifest(repository, digest), repository, _ACCEPT)

    def blob(self, repository: RepositoryName, digest: Digest, *, limit: int) -> bytes:
        """The bytes of a blob, at most `limit` of them, that are what `digest` says."""
        path = routes.blob(repository, digest)
        answer = self.transport.exchange("GET", path, limit=limit, scope=routes.scope(repository, "pull"))
        if not digest.matches(answer.content):
            raise DigestMismatch(f"{digest} came back as {Digest.of(answer.content)}")
        return answer.content

    def blob_exists(self, repository: RepositoryName, digest: Digest) -> bool:
        """What the registry says; after a sweep under a cache only reading the blob tells."""
        return self._exists(routes.blob(repository, digest), repository, {})

    def _exists(self, path: str, repository: RepositoryName, headers: Mapping[str, str]) -> bool:
        try:
            self.transport.exchange("HEAD", path, headers=headers, scope=routes.scope(repository, "pull"))
        except NotFound:
            return False
        return True

    def blob_is_readable(self, repository: RepositoryName, digest: Digest) -> bool:
        """Whether its first byte comes: after a sweep under a cache the registry still says that it is there."""
        path, scope = routes.blob(repository, digest), routes.scope(repository, "pull")
        try:
            answer = self.transport.exchange(
                "GET", path, headers={"Range": "bytes=0-0"}, limit=_FIRST_BYTE, accept_statuses=(200, 206), scope=scope
            )
        except TooLarge:
            return True  # it knows no ranges, and began to send all of it
        except (NotFound, CutShort):
            return False
        except Refused as refusal:
            if refusal.answered != _NO_SUCH_RANGE:
                raise
            return True  # an empty blob has no first byte
        return bool(answer.content)

    def referrers(self, repository: RepositoryName, digest: Digest) -> tuple[Descriptor, ...]:
        """What the registry itself says is attached to a manifest (distribution-spec 1.1, "Listing Referrers").

        NotFound where it has no such API. At most `MOST_REFERRERS`, of at most `_REFERRER_PAGES` pages.
        """
        path, scope = routes.referrers(repository, digest), routes.scope(repository, "pull")
        found: dict[Digest, Descriptor] = {}
        following: str | None = path
        for _ in range(_REFERRER_PAGES):
            if following is None or len(found) >= MOST_REFERRERS:
                break
            answer = self.transport.exchange("GET", following, headers=_ACCEPT_INDEX, limit=MANIFEST_LIMIT, scope=scope)
            listed = parse_manifest(OCI_INDEX, answer.content)
            if not isinstance(listed, ImageIndex):
                raise BadAnswer("the list of referrers is no index")
            found |= {descriptor.digest: descriptor for descriptor in listed.manifests}
            following = self._next_page(answer, path)
        return tuple(found.values())[:MOST_REFERRERS]

    def push_blob(self, repository: RepositoryName, content: bytes) -> Digest:
        """Upload in one piece, closed by the registry against the digest."""
        digest, scope = Digest.of(content), routes.scope(repository, "pull", "push")
        path = self.begin_upload(repository).path
        answer = self.transport.exchange(
            "PUT",
            f"{path}{'&' if '?' in path else '?'}{urlencode({'digest': str(digest)})}",
            headers={"Content-Type": "application/octet-stream"},
            body=content,
            accept_statuses=(201,),
            scope=scope,
            attempts=1,  # a closed upload is gone, so a second try would look like a failure
        )
        check_blob(self.transport, repository, digest, len(content), answer)
        return digest

    def begin_upload(self, repository: RepositoryName) -> Upload:
        """Open an upload that nothing is sent to; `cancel_upload` is owed to it."""
        scope = routes.scope(repository, "pull", "push")
        opened = self.transport.exchange("POST", routes.uploads(repository), accept_statuses=(202,), scope=scope)
        path = self.transport.follow(opened, opened.headers.get("Location", ""))
        return Upload(repository, opened.headers.get("Docker-Upload-UUID", ""), path)

    def cancel_upload(self, upload: Upload) -> None:
        """Nothing of it stays at the registry, and no event is sent."""
        scope = routes.scope(upload.repository, "pull", "push")
        self.transport.exchange("DELETE", upload.path, accept_statuses=(202, 204), scope=scope)

    def mount_blob(self, repository: RepositoryName, digest: Digest, source: RepositoryName) -> bool:
        """Let the registry link a blob of `source` into `repository`; no bytes travel.

        False where it would not: it opened an upload instead, which is cancelled (distribution-spec, "Mounting").
        """
        path = f"{routes.uploads(repository)}?{urlencode({'mount': str(digest), 'from': source})}"
        scope = f"{routes.scope(repository, 'pull', 'push')} {routes.scope(source, 'pull')}"
        answer = self.transport.exchange("POST", path, accept_statuses=(201, 202), scope=scope)
        if answer.status == 201:  # noqa: PLR2004  Created
            check_blob(self.transport, repository, digest, None, answer)
            return True
        location = self.transport.follow(answer, answer.headers.get("Location", ""))
        self.cancel_upload(Upload(repository, answer.headers.get("Docker-Upload-UUID", ""), location))
        return False

    def put_manifest(
        self,
        repository: RepositoryName,
        target: TagName | Digest,
        media_type: str,
        content: bytes,
    ) -> Digest:
        """Store the exact bytes under a tag or their digest; blobs and children have to be there before."""
        answer = self.transport.exchange(
            "PUT",
            routes.manifest(repository, target),
            headers={"Content-Type": media_type},
            body=content,
            accept_statuses=(201,),
            scope=routes.scope(repository, "pull", "push"),
        )
        check_manifest(self.transport, repository, target, content, answer)
        return target if isinstance(target, Digest) else Digest.of(content)

    def delete_manifest(self, repository: RepositoryName, digest: Digest) -> None:
        """Delete by digest: every tag of the repository that points to it goes too. Not tried twice."""
        path, scope = routes.manifest(repository, digest), routes.scope(repository, "delete")
        self.transport.exchange("DELETE", path, accept_statuses=(202, 200, 204), scope=scope)

    def delete_blob(self, repository: RepositoryName, digest: Digest) -> None:
        """Unlink a blob from this repository, even one that a manifest uses: nothing checks it. Not tried twice."""
        path, scope = routes.blob(repository, digest), routes.scope(repository, "delete")
        self.transport.exchange("DELETE", path, accept_statuses=(202, 200, 204), scope=scope)

    def delete_tag(self, repository: RepositoryName, tag: TagName) -> None:
        """Delete one tag and nothing else, where the registry can (distribution 3); not tried twice."""
        path, scope = routes.manifest(repository, tag), routes.scope(repository, "delete")
        self.transport.exchange("DELETE", path, accept_statuses=(202, 200, 204), scope=scope)

    def probe(self) -> Capabilities:
        """What this registry lets us do; changes nothing there and raises nothing."""
        return probe(self)

    def close(self) -> None:
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _pages(self, path: str, key: str, parse: Callable[[str], NameT], scope: str) -> Iterator[Page[NameT]]:
        known: set[NameT] = set()
        visited: set[str] = set()
        answer = self._first_page(path, scope)
        while True:
            yield page_of(answer.content, key, parse, known)
            following = self._next_page(answer, path)
            if following is None:
                return
            if following in visited:
                raise BadAnswer(f"the pages of {path} go in a circle")
            if len(visited) == MOST_PAGES:
                raise BadAnswer(f"{path} has more than {MOST_PAGES} pages")
            visited.add(following)
            answer = self.transport.exchange("GET", following, limit=LIST_LIMIT, scope=scope)

    def _first_page(self, path: str, scope: str) -> Answer:
        while True:
            size = self.page_size
            try:
                asked = f"{path}?n={size}" if size else path
                return self.transport.exchange("GET", asked, limit=LIST_LIMIT, scope=scope)
            except Refused as refusal:
                if not size or not refusal.says("PAGINATION_NUMBER_INVALID"):
                    raise
                self.page_size = _SMALLER_PAGE if size > _SMALLER_PAGE else 0

    def _next_page(self, answer: Answer, path: str) -> str | None:
        links = parse_header_links(answer.headers.get("Link", ""))
        target = next((link.get("url", "") for link in links if link.get("rel") == "next"), None)
        if target is None:
            return None
        following = self.transport.follow(answer, target)
        if following.partition("?")[0] != path:
            raise BadAnswer(f"the pages of {path} lead away to another list")
        return following
