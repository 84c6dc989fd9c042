"""What a person wants to read of a packed Helm chart: its values, its README, and which files it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from oci.tarball import files

PACKED_LIMIT: Final = 10 * 2**20  # bytes
_UNPACKED_LIMIT: Final = 30 * 2**20
_MOST_ENTRIES: Final = 5_000
_TEXT_LIMIT: Final = 256 * 2**10  # bytes of a file that is shown
_PARTS: Final = 2  # of "chart/values.yaml"; deeper down are the charts that it depends on
_READMES: Final = ("readme.md", "readme.txt", "readme")
_VALUES: Final = "values.yaml"
_SCHEMA: Final = "values.schema.json"
_SHOWN: Final = frozenset({_VALUES, _SCHEMA, *_READMES})


@dataclass(frozen=True, slots=True)
class ChartText:
    """A file as text; `is_cut` where it has more than is shown."""

    name: str
    text: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class ChartFiles:
    """`names` are paths below the chart's own folder, in the order of the archive."""

    values: ChartText | None = None
    readme: ChartText | None = None
    schema: ChartText | None = None
    names: tuple[str, ...] = ()

    @property
    def templates(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name.startswith("templates/"))

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if not name.startswith("templates/"))


def unpack_chart(packed: bytes) -> ChartFiles:
    """Read the archive of a chart; BadAnswer, TooLarge as `oci.tarball` says."""
    names: list[str] = []
    texts: dict[str, ChartText] = {}
    limits = {"most_bytes": _UNPACKED_LIMIT, "most_entries": _MOST_ENTRIES, "kept": _TEXT_LIMIT + 1}
    for path, content in files(packed, **limits):
        name = path.partition("/")[2]
        if not name:
            continue
        names.append(name)
        if path.count("/") < _PARTS and name.lower() in _SHOWN:
            texts.setdefault(name.lower(), _text(name, content))
    readme = next((texts[name] for name in _READMES if name in texts), None)
    return ChartFiles(texts.get(_VALUES), readme, texts.get(_SCHEMA), tuple(names))


def _text(name: str, content: bytes) -> ChartText:
    shown = content[:_TEXT_LIMIT].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return ChartText(name, shown, len(content) > _TEXT_LIMIT)
