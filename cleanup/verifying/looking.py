"""The two ways to look at what a registry has: what each is asked, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from cleanup.models import Check
from cleanup.verifying.faults import Code, Fault
from oci.fetched import Fetched
from oci.model import Descriptor
from oci.names import Digest, RepositoryName, TagName

Watch = Callable[[int], None]
"""Hears of each piece that was read, by its bytes; may raise to end the reading."""


class Listed(NamedTuple):
    """The tags of a repository, each with what is known of where it points: a digest, or "" where that is to be asked.

    `faults` are of tags whose pointer is broken.
    """

    tags: dict[TagName, str]
    faults: dict[TagName, Fault]


class Pointed(NamedTuple):
    """Where a tag points to, with the manifest where it came along; or what is wrong with it."""

    digest: Digest | None
    fetched: Fetched | None = None
    fault: Fault | None = None


class Look(Protocol):
    """Threads may share it. What cannot be asked is raised, as a RegistryError; what is broken is a Fault."""

    way: Check.Way
    threads: int  # that pay; 0: the look takes no longer than to hand it to one

    def repositories(self) -> list[str]:
        """All of them."""
        ...

    def tags(self, repository: RepositoryName) -> Listed | None:
        """None where there is no such repository any more."""
        ...

    def resolve(self, repository: RepositoryName, tag: TagName, known: str) -> Pointed: ...

    def manifest(self, repository: RepositoryName, digest: Digest, code: Code) -> Fetched | Fault:
        """`code`: what it is called where it is missing."""
        ...

    def blob(self, repository: RepositoryName, blob: Descriptor, code: Code) -> Fault | None:
        """Whether it can be read at all."""
        ...

    def read(self, repository: RepositoryName, blob: Descriptor, code: Code, watch: Watch) -> Fault | None:
        """Every byte of it, hashed."""
        ...
