"""Words in templates that nothing marks for translation: between tags, in attributes, handed to an included part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

from django.template.base import Lexer, TokenType

from registry_ui.messages.known_words import UNTRANSLATED

_TAG: Final = "\ue000"  # where a template tag or a variable stood
_QUOTES: Final = frozenset({"code", "kbd", "pre", "samp", "script", "style"})  # what is typed or quoted, not said
_READ: Final = frozenset({"title", "alt", "placeholder", "label", "summary", "aria-label", "aria-description"})
_READ_TOO: Final = frozenset({"aria-roledescription", "aria-valuetext", "aria-placeholder"})
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr", "source", "track", "col", "area"})
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
# As an included part takes what it shows: text="Not found". A tone or the name of an icon is no text.
_HANDED: Final = re.compile(r"""\b(?:text|title|label|caption|noun|words|why|head|reason)=(["'])(?P<text>.*?)\1""")
_DEFAULT: Final = re.compile(r"""\|\s*(?:default|default_if_none)\s*:\s*(["'])(?P<text>.*?)\1""")


def unmarked(source: str) -> Iterator[str]:
    """Each piece of a template's text that a person would read in English whatever they chose."""
    reader = _Reader()
    reader.feed(_markup(source))
    reader.close()
    for piece in [*reader.found, *_handed(source)]:
        words = " ".join(piece.split())
        if _WORD.search(words) and not all(_is_known(part) for part in words.split(_TAG)):
            yield words.replace(_TAG, "…")


def _is_known(words: str) -> bool:
    bare = words.strip(" \t·:,.;()/+=\N{EN DASH}\N{EM DASH}“”\"'")
    return not _WORD.search(bare) or bare in UNTRANSLATED


def _markup(source: str) -> str:
    """The template without its comments and what it translates, a sign for each tag."""
    kept, inside = [], ""
    for token in Lexer(source).tokenize():
        name = token.contents.split(maxsplit=1)[0] if token.token_type == TokenType.BLOCK and token.contents else ""
        if inside:
            inside = "" if name in inside.split() else inside
        elif name in {"comment", "blocktranslate", "blocktrans"}:
            inside = f"end{name}"
            kept.append(_TAG)
        elif token.token_type == TokenType.TEXT:
            kept.append(token.contents)
        elif token.token_type != TokenType.COMMENT:
            kept.append(_TAG)
    return "".join(kept)


def _handed(source: str) -> Iterator[str]:
    for token in Lexer(source).tokenize():
        if token.token_type not in {TokenType.BLOCK, TokenType.VAR}:
            continue
        is_part = token.contents.startswith(("include ", "with "))
        for match in [*_DEFAULT.finditer(token.contents), *(_HANDED.finditer(token.contents) if is_part else ())]:
            yield match["text"]


class _Reader(HTMLParser):
    """Collects what a browser would show or say of a template's markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._quoted += tag in _QUOTES
        given = {name: value or "" for name, value in attrs}
        self.found += [value for name, value in given.items() if name in _READ | _READ_TOO or _is_said(name, value)]
        if tag == "input" and given.get("type") in {"submit", "button", "reset"}:
            self.found.append(given.get("value", ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._quoted -= tag in _QUOTES and self._quoted > 0

    def handle_data(self, data: str) -> None:
        if not self._quoted:
            self.found.append(data)


def _is_said(name: str, value: str) -> bool:
    """Whether a script shows this to people: data-copied="Copied" is said, data-kind="tag" is not."""
    said = value.replace(_TAG, "").strip()
    return name.startswith("data-") and (said[:1].isupper() or (" " in said and said[-1:] in ".?!"))
