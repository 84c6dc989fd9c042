"""The strings that the sources mark for translation, exactly as Django looks them up when a page is made."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.conf import settings
from django.utils.translation.template import templatize

# What each call takes: which arguments are the string, its plural and (c) its context.
_KEYWORDS: Final[dict[str, Any]] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_NOTES: Final = ("Translators:",)  # comments of this kind go along, for whoever translates
_NO_SOURCES: Final = frozenset({"tests", "locale", "docs", "static", "var"})


def marked(root: Path) -> Catalog:
    """All strings of a checkout, each with the files it stands in."""
    found = Catalog(charset="utf-8", fuzzy=False)
    for path in [*sources(root), *templates(root)]:
        text = path.read_text()
        if path.suffix != ".py":
            text = _as_code(text, path)
        name = str(path.relative_to(root))
        for line, message, notes, context in extract("python", BytesIO(text.encode()), _KEYWORDS, _NOTES):
            found.add(message, None, [(name, line)], auto_comments=notes, context=context)
    return found


def sources(root: Path) -> Iterator[Path]:
    """The Python of the product: not of the tests, nor of what is installed or hidden."""
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and folder.name not in _NO_SOURCES and not folder.name.startswith("."):
            yield from sorted(path for path in folder.rglob("*.py") if "migrations" not in path.parts)


def templates(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in (root / "templates").rglob("*") if path.suffix in {".html", ".svg", ".txt"})


def _as_code(text: str, path: Path) -> str:
    """A template as calls of gettext, in lines that all begin at the margin, as the tokens of Python want it."""
    if not settings.configured:  # Django's lexer asks whether a developer looks on
        settings.configure()
    return "\n".join(line.strip() for line in templatize(text, str(path)).splitlines())
