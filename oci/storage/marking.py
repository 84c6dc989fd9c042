"""What of a storage folder is in use: each digest that is named by a manifest which any repository links.

It is the first half of what a registry's own garbage collection does, and may be done while the registry runs:
`look` finds what came since. Tags do not count here: a manifest without one keeps its blobs as long as it is linked.
"""

from __future__ import annotations

import errno
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

from oci.model import MANIFEST_LIMIT
from oci.names import RepositoryName
from oci.storage.faults import Unreadable, is_absent, shown, why
from oci.storage.links import ALGORITHMS, DIGEST, read_link
from oci.storage.naming import named_in
from oci.storage.tree import OpenFolder, Tree, read_regular

_REVISIONS: Final = "_manifests/revisions"
_LAYERS: Final = "_layers"
_CANONICAL: Final = "sha256"  # under which all data are kept, however they were pushed
_SLACK: Final = 2 * 10**9  # nanoseconds: some file systems count in seconds, and two changes may look like one
_TOLD: Final = 50  # repositories between two words of how far it is


class Places(NamedTuple):
    """Where repositories and blobs lie below the root; `names` lists the repositories, or raises Unreadable."""

    repositories: str
    blobs: str
    names: Callable[[], list[RepositoryName]]


class Link(NamedTuple):
    """A blob that a repository links, or once did: by its own digest, or by another of the same content."""

    repository: RepositoryName
    digest: str


class Marks:
    """`manifests` are those that are linked, `named` is what they name, `lost` those whose data are not there.

    Each of `lost` stands with a repository that links it: what it names nobody knows. `links` are the blobs that
    repositories have folders of, by digest, without those that were in use at the first reading.
    """

    def __init__(self, tree: Tree, places: Places, since_ns: int) -> None:
        """`since_ns` is the time on the clock of the file system before anything was read."""
        self.manifests: set[str] = set()
        self.named: set[str] = set()
        self.lost: dict[str, RepositoryName] = {}
        self.links: dict[str, list[Link]] = {}
        self._tree, self._top, self._blobs = tree, places.repositories, places.blobs
        self._list, self._since_ns = places.names, since_ns - _SLACK
        self._repositories: dict[RepositoryName, None] = {}
        self._bare: defaultdict[RepositoryName, set[str]] = defaultdict(
            set
        )  # manifests that have a folder, and no link
        self._read_ns: dict[str, int] = {}  # when each folder had changed last, as it was read
        self._aliases: dict[str, str] = {}  # the digest under which data are kept, by another that links have of it

    def read(self, tell: Callable[[int, int], None]) -> None:
        """Raises Unreadable where anything that may keep a blob cannot be read: then nothing is known.

        `tell` hears how many of how many repositories are read.
        """
        names = self._list()
        for done, repository in enumerate(names):
            if done % _TOLD == 0:
                tell(done, len(names))
            self._read_revisions(repository)
        for repository in names:
            self._read_layers(repository)
        self._repositories = dict.fromkeys(names)
        self._follow_aliases()

    def look(self) -> set[str]:
        """Read what came since, into the same sets: the digests that are in use and were not."""
        return self._look(self._list())

    def look_at(self, repositories: Collection[RepositoryName]) -> set[str]:
        """The same, of some repositories alone: that takes next to no time."""
        return self._look(repositories)

    def _look(self, repositories: Collection[RepositoryName]) -> set[str]:
        before, known = len(self.manifests), set(self.named)
        for repository in repositories:
            if repository not in self._repositories:
                self._repositories[repository] = None
                self._read_revisions(repository)
                self._read_layers(repository)
                continue
            for algorithm in ALGORITHMS:
                if self._has_changed(f"{repository}/{_REVISIONS}/{algorithm}"):
                    self._add(repository, self._linked(repository, algorithm))
            filled = self._filled(repository)
            self._bare[repository] -= filled
            self._add(repository, filled)
        if len(self.manifests) == before:
            return set()
        self._follow_aliases()
        return self.named - known

    @property
    def repositories(self) -> list[RepositoryName]:
        """All that it knows of."""
        return list(self._repositories)

    def is_used(self, digest: str) -> bool:
        return digest in self.named or digest in self.manifests

    def linked_now(self, digests: Collection[str]) -> dict[str, list[Link]]:
        """Who links each of `digests` at this moment, also by a link that came since."""
        for repository in self._repositories:
            for algorithm in ALGORITHMS:
                if self._has_changed(f"{repository}/{_LAYERS}/{algorithm}"):
                    self._note_layers(repository, algorithm)
        found = {d: [link for link in self.links.get(d, ()) if self.linked_ns(link) is not None] for d in digests}
        return {digest: links for digest, links in found.items() if links}

    def links_held(self, links: Collection[Link]) -> list[tuple[str, str]]:
        """Of folders that repositories have of a blob, those with a link in them now, in order."""
        return sorted((link.repository, link.digest) for link in links if self.linked_ns(link) is not None)

    def linked_ns(self, link: Link) -> int | None:
        """When it was last linked, in nanoseconds since 1970; None where it is not."""
        status = self._link(link.repository, _LAYERS, link.digest)
        return None if status is None else status.st_mtime_ns

    def is_odd(self, link: Link) -> bool:
        """Whether it holds no digest, as after a power cut, or is not there: a registry cannot unlink it."""
        algorithm, _, hex_ = link.digest.partition(":")
        try:
            with self._tree.folder(f"{self._top}/{link.repository}/{_LAYERS}/{algorithm}") as folder:
                return not self._said(folder, hex_)
        except OSError as error:
            if is_absent(error):
                return True
            raise Unreadable(f"{link.repository}/{_LAYERS} cannot be looked at: {why(error)}") from error

    def _read_revisions(self, repository: RepositoryName) -> None:
        for algorithm in self._algorithms(f"{repository}/{_REVISIONS}"):
            self._add(repository, self._linked(repository, algorithm))

    def _read_layers(self, repository: RepositoryName) -> None:
        for algorithm in self._algorithms(f"{repository}/{_LAYERS}"):
            self._note_layers(repository, algorithm)

    def _follow_aliases(self) -> None:
        self.named |= {target for alias, target in self._aliases.items() if alias in self.named}

    def _linked(self, repository: RepositoryName, algorithm: str) -> set[str]:
        """The manifests that it links; a link that holds nonsense is one as well."""
        found: set[str] = set()
        for folder, hex_ in self._entries(f"{repository}/{_REVISIONS}/{algorithm}", algorithm):
            if self._status(folder, hex_) is None:
                self._bare[repository].add(f"{algorithm}:{hex_}")
                continue
            found.add(f"{algorithm}:{hex_}")
            if algorithm != _CANONICAL:
                found |= self._said(folder, hex_)
        return found

    def _filled(self, repository: RepositoryName) -> set[str]:
        """The manifests that it links, and of which it had only a folder before."""
        found: set[str] = set()
        bare = self._bare[repository]
        for algorithm in ALGORITHMS:
            hexes = [digest.partition(":")[2] for digest in bare if digest.startswith(f"{algorithm}:")]
            if not hexes:
                continue
            try:
                with self._tree.folder(f"{self._top}/{repository}/{_REVISIONS}/{algorithm}") as folder:
                    found |= {f"{algorithm}:{hex_}" for hex_ in hexes if self._status(folder, hex_) is not None}
            except OSError as error:
                if not is_absent(error):
                    raise Unreadable(f"{repository}/{_REVISIONS} cannot be looked at: {why(error)}") from error
        return found

    def _note_layers(self, repository: RepositoryName, algorithm: str) -> None:
        for folder, hex_ in self._entries(f"{repository}/{_LAYERS}/{algorithm}", algorithm):
            named = f"{algorithm}:{hex_}"
            link = Link(repository, named)
            if algorithm == _CANONICAL:
                self._note(named, link)
                continue
            for said in self._said(folder, hex_):
                self._aliases[named] = said
                self._note(said, link)

    def _note(self, digest: str, link: Link) -> None:
        if self.is_used(digest):
            return
        known = self.links.setdefault(digest, [])
        if link not in known:
            known.append(link)

    def _add(self, repository: RepositoryName, manifests: Collection[str]) -> None:
        for manifest in manifests:
            if manifest in self.manifests:
                continue
            self.manifests.add(manifest)
            if manifest.startswith(_CANONICAL):
                try:
                    self.named |= self._names_of(manifest)
                except FileNotFoundError:
                    self.lost[manifest] = repository

    def _names_of(self, manifest: str) -> set[str]:
        """FileNotFoundError where its data are not there."""
        algorithm, _, hex_ = manifest.partition(":")
        path = f"{self._blobs}/{algorithm}/{hex_[:2]}/{hex_}/data"
        try:
            descriptor = self._tree.open_file(path)
            try:
                content, _ = read_regular(descriptor, MANIFEST_LIMIT)
            finally:
                os.close(descriptor)
        except OSError as error:
            if is_absent(error):
                raise FileNotFoundError(errno.ENOENT, path) from error
            raise Unreadable(f"the manifest {manifest} cannot be read: {why(error)}") from error
        return named_in(content)

    def _algorithms(self, path: str) -> list[str]:
        """Those that there are folders of. Raises Unreadable for one that nobody here can read."""
        try:
            with self._tree.folder(f"{self._top}/{path}") as folder:
                names = folder.names
        except OSError as error:
            if is_absent(error):
                return []
            raise Unreadable(f"{shown(path)} cannot be listed: {why(error)}") from error
        if strange := set(names) - set(ALGORITHMS):
            raise Unreadable(f"{shown(path)} has something by {shown(min(strange))}, which Berth cannot read")
        return names

    def _entries(self, path: str, algorithm: str) -> Iterator[tuple[OpenFolder, str]]:
        """Each hex below a folder, with that folder open; none where it is not there."""
        grammar = ALGORITHMS[algorithm]
        try:
            with self._tree.folder(f"{self._top}/{path}") as folder:
                self._read_ns[path] = os.fstat(folder.descriptor).st_mtime_ns
                for hex_ in folder.names:
                    if grammar.fullmatch(hex_):
                        yield folder, hex_
        except OSError as error:
            if not is_absent(error):
                raise Unreadable(f"{shown(path)} cannot be listed: {why(error)}") from error

    def _has_changed(self, path: str) -> bool:
        """Whether anything may have come there since the first reading began, also where a clock was set back."""
        try:
            with self._tree.folder(f"{self._top}/{path}") as folder:
                changed_ns = os.fstat(folder.descriptor).st_mtime_ns
                return changed_ns >= self._since_ns or changed_ns != self._read_ns.get(path)
        except OSError as error:
            if is_absent(error):
                return False
            raise Unreadable(f"{shown(path)} cannot be looked at: {why(error)}") from error

    def _link(self, repository: RepositoryName, kind: str, digest: str) -> os.stat_result | None:
        algorithm, _, hex_ = digest.partition(":")
        try:
            with self._tree.folder(f"{self._top}/{repository}/{kind}/{algorithm}") as folder:
                return self._status(folder, hex_)
        except OSError as error:
            if is_absent(error):
                return None
            raise Unreadable(f"{repository}/{kind} cannot be looked at: {why(error)}") from error

    def _status(self, folder: OpenFolder, hex_: str) -> os.stat_result | None:
        """Of the link in the folder of a digest; None where there is none."""
        try:
            return os.stat(f"{hex_}/link", dir_fd=folder.descriptor)
        except OSError as error:
            if is_absent(error):
                return None
            raise Unreadable(f"{shown(folder.path)}/{hex_} cannot be looked at: {why(error)}") from error

    def _said(self, folder: OpenFolder, hex_: str) -> set[str]:
        """The digest that a link holds, if it holds one."""
        try:
            content, _ = read_link(self._tree, folder, f"{hex_}/link")
        except OSError as error:
            if is_absent(error):
                return set()
            raise Unreadable(f"{shown(folder.path)}/{hex_} cannot be read: {why(error)}") from error
        return {content.decode()} if DIGEST.fullmatch(content) else set()
