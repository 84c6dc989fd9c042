"""What is wrong with what people read: each fault as a line that names the file and the string."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message

from registry_ui.messages import catalogs, extracting, unmarked_code, unmarked_markup

_PLACES: Final = re.compile(r"%\(\w+\)[#0 +-]*[\d.]*[a-zA-Z]|%[a-zA-Z]|\{\w*\}|</?\w[^>]*>")
_ENDS: Final = re.compile(r"[\s.:…?!]*\Z")
_BEGINS: Final = re.compile(r"\A\s*")
# All that these hold is for people; elsewhere a sentence may be for a terminal, a log or another program.
_FOR_PEOPLE: Final = ("web/", "access/", "registries/findings.py", "registries/source_findings.py")
_NOT_FOR_PAGES: Final = "management/commands/"


def faults(root: Path) -> list[str]:
    """Of a whole checkout; none is what `./run check` wants."""
    found = extracting.marked(root)
    return [
        *(fault for path in catalogs.paths(root) for fault in _of_language(root, path, found)),
        *_of_templates(root),
        *_of_code(root),
    ]


def _of_language(root: Path, path: Path, found: Catalog) -> Iterator[str]:
    here, catalog = path.relative_to(root), catalogs.read(path)
    for message in _strings(found):
        translation = catalog.get(message.id, message.context)
        if translation is None:
            yield f"{_where(message)}: not in {here}: {_quoted(message)}"
        else:
            translation.locations = message.locations
            yield from (f"{_where(message)}: {what} in {here}: {_quoted(message)}" for what in _wrong(translation))
    for message in [*_strings(catalog), *catalog.obsolete.values()]:
        if found.get(message.id, message.context) is None or message in catalog.obsolete.values():
            yield f"{here}: no source has it any more: {_quoted(message)}"
    binary = path.with_suffix(".mo")
    if not binary.is_file() or not catalogs.same(binary.read_bytes(), catalogs.compiled(catalog)):
        yield f"{binary.relative_to(root)}: is not what {path.name} says: ./run messages writes it"


def _wrong(message: Message) -> Iterator[str]:
    strings = message.string if isinstance(message.string, tuple | list) else [message.string]
    translations = [translation or "" for translation in strings]
    originals = message.id if isinstance(message.id, tuple | list) else [message.id]
    if not all(translations):
        yield "not translated"
        return
    if message.fuzzy:
        yield "fuzzy, so nobody has said that it is right,"
    original = originals[-1]  # a plural has all that its singular has, and the number
    for translation in translations:
        if Counter(_PLACES.findall(translation)) != Counter(_PLACES.findall(original)):
            yield "other placeholders or tags"
        if _edge(_BEGINS, translation) != _edge(_BEGINS, original) or _edge(_ENDS, translation) != _edge(
            _ENDS, original
        ):
            yield "other spaces or signs at an edge"


def _edge(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[0] if match else ""


def _of_templates(root: Path) -> Iterator[str]:
    for path in extracting.templates(root):
        for words in unmarked_markup.unmarked(path.read_text()):
            yield f"{path.relative_to(root)}: not marked for translation: “{words}”"


def _of_code(root: Path) -> Iterator[str]:
    for path in extracting.sources(root):
        name = str(path.relative_to(root))
        for_people = name.startswith(_FOR_PEOPLE) and _NOT_FOR_PAGES not in name
        for words in dict.fromkeys(unmarked_code.unmarked(path.read_text(), for_people=for_people)):
            yield f"{name}: not marked for translation: “{words}”"


def _strings(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def _where(message: Message) -> str:
    return ", ".join(sorted({name for name, _ in message.locations}))


def _quoted(message: Message) -> str:
    return f"“{message.id if isinstance(message.id, str) else message.id[0]}”"
