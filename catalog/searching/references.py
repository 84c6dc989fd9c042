"""A reference in what a person pasted, part by part: a command, a line of a Dockerfile, an address of an API. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from oci.errors import InvalidName
from oci.names import Reference

_TOOL: Final = re.compile(
    "docker|podman|nerdctl|crictl|ctr|crane|skopeo|oras|helm|buildah|regctl|kubectl|cosign|syft|grype|trivy"
)
_VERB: Final = re.compile(
    "pull|push|run|create|inspect|images?|manifest|copy|cp|tag|history|save|scan|sign|verify|attest|show|template"
    "|install|upgrade|chart|set|from"
)
# Options whose value follows as a word of its own.
_VALUED: Final = re.compile(
    "-[pveulmwhnfo]|--(?:platform|name|publish|volume|env|network|entrypoint|user|workdir|version|namespace|add-host"
    "|label|mount|restart|pull|hostname|memory|cpus|format|output|authfile|creds|(?:src|dest)-creds"
    "|override-(?:os|arch|variant))"
)
_FROM: Final = re.compile(r"from\s+(?:--platform=\S+\s+)?(?P<reference>\S+)(?:\s+as\s+\S+)?", re.IGNORECASE)
_IMAGE: Final = re.compile(r"-?\s*\"?image\"?\s*:\s*[\"']?(?P<reference>[^\s\"',]+)[\"']?,?", re.IGNORECASE)
_V2: Final = re.compile(r"https?://(?P<host>[^/\s]+)/v2/(?P<name>[^\s?#]+)/manifests/(?P<target>[^/\s?#]+)")
_HUB: Final = re.compile(r"https?://hub\.docker\.com/(?:r/(?P<name>[^/\s]+/[^/\s?#]+)|_/(?P<official>[^/\s?#]+))\S*")
_TRANSPORT: Final = re.compile(r"(?:docker|oci|containers-storage|docker-daemon)://|docker-daemon:")
_VERSION: Final = re.compile(r"(?<=\s)--version[\s=](?P<version>\S+)")


class Name(StrEnum):
    """The parts of a reference, in their order."""

    REGISTRY = "registry"
    NAMESPACE = "namespace"
    REPOSITORY = "repository"
    TAG = "tag"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Part:
    """`is_default` where nobody typed it: the client fills it in."""

    name: Name
    value: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Pasted:
    """`typed` is the reference as it stands in the text."""

    typed: str
    reference: Reference

    @classmethod
    def find(cls, text: str) -> Self | None:
        """None where the text holds no reference, or only a name that may as well be a word to search for."""
        text = " ".join(text.split())
        for typed in _candidates(text):
            try:
                reference = Reference.parse(typed)
            except InvalidName:
                continue
            if typed != text or _says_more_than_a_name(typed):
                return cls(typed, reference)
        return None

    @property
    def has_registry(self) -> bool:
        return self.typed.startswith((f"{self.reference.registry}/", "index.docker.io/"))

    @property
    def parts(self) -> list[Part]:
        reference = self.reference
        namespace, _, name = reference.repository.rpartition("/")
        path = self.typed.partition("/")[2] if self.has_registry else self.typed
        parts = [Part(Name.REGISTRY, reference.registry, not self.has_registry)]
        if namespace:
            parts.append(Part(Name.NAMESPACE, namespace, not path.startswith(f"{namespace}/")))
        parts.append(Part(Name.REPOSITORY, name))
        if reference.tag:
            parts.append(Part(Name.TAG, reference.tag, not path.partition("@")[0].endswith(f":{reference.tag}")))
        if reference.digest:
            parts.append(Part(Name.DIGEST, str(reference.digest)))
        return parts


def _says_more_than_a_name(typed: str) -> bool:
    """It has a tag, a digest, or a registry in front."""
    first, slash, _ = typed.partition("/")
    return ":" in typed or "@" in typed or (bool(slash) and "." in first)


def _candidates(text: str) -> Iterator[str]:
    if match := _V2.fullmatch(text):
        separator = "@" if ":" in match["target"] else ":"
        yield f"{match['host']}/{match['name']}{separator}{match['target']}"
        return
    if match := _HUB.fullmatch(text):
        yield f"docker.io/{match['name'] or match['official']}"
        return
    for line in (_FROM, _IMAGE):
        if match := line.fullmatch(text):
            yield _bare(match["reference"])
            return
    words = _words(text)
    if len(words) > 1 and _TOOL.fullmatch(words[0]):
        yield from _of_command(text, words[1:])
    elif len(words) == 1:
        yield _bare(words[0])


def _of_command(text: str, words: Sequence[str]) -> Iterator[str]:
    version = _VERSION.search(text)
    after_option = False
    for word in words:
        is_value, after_option = after_option, _VALUED.fullmatch(word) is not None
        if is_value or word.startswith("-") or _VERB.fullmatch(word):
            continue
        bare = _bare(word)
        yield f"{bare}:{version['version']}" if version and word.startswith("oci://") else bare


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError:  # a quotation mark that is not closed
        words = text.split()
    return words[1:] if words[:1] in (["$"], ["#"], ["sudo"]) else words


def _bare(word: str) -> str:
    return _TRANSPORT.sub("", word, count=1)
