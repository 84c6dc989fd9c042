"""What was read of a batch of tags: values, before anything of them is written."""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from catalog.recording.content import Content
from catalog.scanning.known import KnownTag
from oci.errors import RegistryError
from oci.names import Digest, RepositoryName, TagName

MOST_HELD: Final = 8 * 2**20  # bytes of manifests in a batch: a registry may send four megabytes for each

Keep: TypeAlias = Callable[[Mapping[str, Content]], dict[str, int]]  # the ids, by digest
Answer: TypeAlias = Content | RegistryError | None  # None: it is there, and known already


class Contents(Protocol):
    """Where content is read from by its digest: a registry's client, or its storage folder."""

    def look(self, repository: RepositoryName, digests: Sequence[str], known: Container[str], /) -> Generator[Answer]:
        """What came of each of these manifests, in order; the known ones are only asked for whether they are there."""

    def blob(self, repository: RepositoryName, digest: Digest, /, *, limit: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class TagReading:
    """What one tag pointed to: `digest`, or None while that is not known, which `failure` explains.

    `content` is its manifest where that came along. `link_ns` is the time of its link in the storage folder.
    """

    tag: TagName
    digest: str | None
    content: Content | None = None
    known: KnownTag | None = None
    failure: RegistryError | None = None
    link_ns: int | None = None

    @property
    def weight(self) -> int:
        return self.content.weight if self.content else 0

    @property
    def is_as_known(self) -> bool:
        """Nothing has to be written of it."""
        known = self.known
        return (
            known is not None
            and self.failure is None
            and not known.problem
            and self.digest == known.digest
            and known.whole
            and self.link_ns in {None, known.link_ns}
        )


@dataclass(slots=True)
class BatchReading:
    """What a batch of tags pointed to, the content that was new, and what is and is not there below them."""

    tags: list[TagReading]
    contents: dict[str, Content] = field(default_factory=dict)  # by digest; not yet kept
    kept: dict[str, int] = field(default_factory=dict)  # ids of manifests, by digest, that were
    present: set[str] = field(default_factory=set)  # digests of manifests that are in the repository
    missing: dict[str, str] = field(default_factory=dict)  # digests of children that are not, and why
    absent: set[str] = field(default_factory=set)  # those of the missing that the registry itself says it has not
    unanswered: set[str] = field(default_factory=set)  # those of which it may say something else when it is asked again
    read: int = 0  # manifests that were read

    @property
    def weight(self) -> int:
        """Bytes that it holds."""
        return sum(content.weight for content in self.contents.values())
