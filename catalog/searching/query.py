"""What a person typed into the search, understood: words, qualifiers, a digest, a pattern or a reference. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from catalog import facets
from catalog.labels import one_line
from catalog.searching.patterns import Pattern
from catalog.searching.references import Pasted

LONGEST: Final = 500
_MOST_WORDS: Final = 8
_QUALIFIER: Final = re.compile(
    r"(?<!\S)(?P<name>repository|repo|namespace|ns|tag|registry|label|platform|kind|type|digest):(?P<value>\"[^\"]*\"|\S+)",
    re.IGNORECASE,
)
_SAME: Final = {"repo": "repository", "ns": "namespace"}
_DIGEST: Final = re.compile(r"@?(?:(?P<algorithm>sha256|sha512):)?(?P<hex>[0-9a-f]{6,128})", re.IGNORECASE)
_KINDS: Final = {
    "image": facets.IMAGES,
    "index": facets.IMAGES,
    "chart": facets.CHARTS,
    "helm": facets.CHARTS,
    "artifact": facets.OTHERS,
}


@dataclass(frozen=True, slots=True)
class Query:
    """Everything that is not there is "" or None; `facets` are those that a repository must have, 0 for none."""

    text: str
    words: tuple[str, ...] = ()
    pasted: Pasted | None = None
    pattern: Pattern | None = None
    digest: str = ""  # its beginning: "sha256:…", or hex digits alone
    repository: str = ""
    namespace: str = ""
    tag: str = ""
    registry: str = ""
    label: tuple[str, str] | None = None  # name and the beginning of the value
    media_type: str = ""
    platform: str = ""
    facets: int = 0
    unknown: tuple[str, ...] = ()  # qualifiers whose value means nothing

    @classmethod
    def parse(cls, text: str) -> Self:
        text = one_line(text[:LONGEST])
        is_qualified = _QUALIFIER.search(text) or _DIGEST.fullmatch(text)
        if not is_qualified and (pasted := Pasted.find(text)):
            return cls(text, (pasted.reference.repository.rpartition("/")[2],), pasted)
        said = {
            _SAME.get(m["name"].lower(), m["name"].lower()): m["value"].strip('"') for m in _QUALIFIER.finditer(text)
        }
        rest = _QUALIFIER.sub(" ", text).split()
        digest = said.get("digest", "")
        if not digest and len(rest) == 1 and (match := _DIGEST.fullmatch(rest[0])):
            digest = f"{match['algorithm']}:{match['hex']}" if match["algorithm"] else match["hex"]
            rest = [] if match["algorithm"] else rest
        pattern = Pattern.parse(rest[0]) if len(rest) == 1 else None
        name, _, value = said.get("label", "").partition("=")
        wanted, unknown = _facets(said)
        return cls(
            text,
            words=() if pattern else tuple(rest[:_MOST_WORDS]),
            pattern=pattern,
            digest=digest.lower(),
            repository=said.get("repository", ""),
            namespace=said.get("namespace", "").strip("/"),
            tag=said.get("tag", ""),
            registry=said.get("registry", ""),
            label=(name, value) if name else None,
            media_type=said.get("type", "") if said.get("type", "").lower() not in _KINDS else "",
            platform=said.get("platform", ""),
            facets=wanted,
            unknown=unknown,
        )

    @property
    def is_empty(self) -> bool:
        return not self.text


def _facets(said: dict[str, str]) -> tuple[int, tuple[str, ...]]:
    """What kinds and platforms ask for, and those of them that are none."""
    wanted, unknown = 0, []
    for qualifier in ("kind", "type"):
        kind = said.get(qualifier, "").lower()
        wanted |= _KINDS.get(kind, 0)
        if qualifier == "kind" and kind and kind not in _KINDS:
            unknown.append(f"kind:{kind}")
    if platform := said.get("platform", "").lower():
        found = facets.of_named_platform(platform) or facets.of_named_platform(f"linux/{platform}")
        wanted |= found
        if not found:
            unknown.append(f"platform:{platform}")
    return wanted, tuple(unknown)
