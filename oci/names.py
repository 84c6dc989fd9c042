"""Names of things in a registry: repositories, tags, digests, references.

Grammar: distribution-spec, "Pulling manifests"; image-spec, "Digests"; and for references the package
`distribution/reference`, so that a person may type here what they type to docker.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, NewType, Self

from oci.errors import InvalidName

RepositoryName = NewType("RepositoryName", str)
TagName = NewType("TagName", str)

_PATH: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_PATH}(?:/{_PATH})*")
_REPOSITORY_LENGTH: Final = 255
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HEX_LENGTH: Final = {"sha256": 64, "sha512": 128}
_HEX_DIGITS: Final = frozenset("0123456789abcdef")

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{,261}}\Z)(?:{_LABEL}(?:\.{_LABEL})*|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?")
_DOCKER_HUB: Final = "docker.io"
_OFFICIAL: Final = "library/"


def parse_repository(text: str) -> RepositoryName:
    if len(text) > _REPOSITORY_LENGTH or not _REPOSITORY.fullmatch(text):
        raise InvalidName("repository", text)
    return RepositoryName(text)


def parse_tag(text: str) -> TagName:
    if not _TAG.fullmatch(text):
        raise InvalidName("tag", text)
    return TagName(text)


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """The name of content: sha256 or sha512 and lower-case hex, nothing else."""

    algorithm: str
    hex: str

    def __post_init__(self) -> None:
        if len(self.hex) != _HEX_LENGTH.get(self.algorithm) or not _HEX_DIGITS.issuperset(self.hex):
            raise InvalidName("digest", str(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        algorithm, colon, hex_ = text.partition(":")
        if not colon:
            raise InvalidName("digest", text)
        return cls(algorithm, hex_)

    @classmethod
    def of(cls, content: bytes) -> Self:
        return cls("sha256", hashlib.sha256(content).hexdigest())

    def matches(self, content: bytes) -> bool:
        return hashlib.new(self.algorithm, content).hexdigest() == self.hex

    @property
    def short(self) -> str:
        """The first 12 hex digits: enough to tell two apart at a glance, never enough to ask by."""
        return self.hex[:12]

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A registry, a repository in it, and the tag or digest (or both) that picks one manifest."""

    registry: str
    repository: RepositoryName
    tag: TagName | None = None
    digest: Digest | None = None

    def __post_init__(self) -> None:
        if not _is_host(self.registry) or not _HOST.fullmatch(self.registry):
            raise InvalidName("registry", self.registry)
        parse_repository(self.repository)
        if self.tag is not None:
            parse_tag(self.tag)
        if self.tag is None and self.digest is None:
            raise InvalidName("reference", f"{self.registry}/{self.repository}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what docker reads: `golang` is `docker.io/library/golang:latest`.

        The first component is a host only when it has a dot, a colon or a capital, or is `localhost`.
        """
        if len(text) == _HEX_LENGTH["sha256"] and _HEX_DIGITS.issuperset(text):
            raise InvalidName("reference", text)  # docker would take it for the id of an image
        rest, at, digest = text.partition("@")
        registry, rest = _split_host(rest)
        repository, colon, tag = rest.partition(":")
        if registry == _DOCKER_HUB and "/" not in repository:
            repository = _OFFICIAL + repository
        try:
            return cls(
                registry,
                parse_repository(repository),
                parse_tag(tag) if colon else None if at else TagName("latest"),
                Digest.parse(digest) if at else None,
            )
        except InvalidName as error:
            raise InvalidName("reference", text) from error

    @property
    def familiar(self) -> str:
        """The short form that docker prints: without `docker.io/` and `library/`."""
        name = f"{self.registry}/{self.repository}"
        if self.registry == _DOCKER_HUB:
            official = self.repository.removeprefix(_OFFICIAL)
            name = self.repository if "/" in official else official
        return name + self._target

    @property
    def _target(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}{self._target}"


def _split_host(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    if not slash or not _is_host(first):
        return _DOCKER_HUB, text
    return (_DOCKER_HUB if first == "index.docker.io" else first), rest


def _is_host(text: str) -> bool:
    return text == "localhost" or "." in text or ":" in text or text != text.lower()
