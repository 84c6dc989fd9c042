"""Reading pages in tests: as text a person sees, and as elements."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

_APART: Final = {
    "br",
    "dd",
    "div",
    "dt",
    "h1",
    "h2",
    "li",
    "option",
    "p",
    "small",
    "td",
    "th",
}  # begin a place of their own


class Page(HTMLParser):
    """The elements of a page as (tag, attributes) and its visible text, pieces in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.pieces: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._silent += tag in {"script", "style"}
        if tag in _APART:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def words(self) -> str:
        """The text with every run of white space as one space."""
        return " ".join(self.text.split())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]

    @property
    def links(self) -> list[str]:
        return [found["href"] for found in self.all("a") if "href" in found]

    @property
    def copied(self) -> list[str]:
        """What the buttons of the page copy."""
        return [found["data-copy"] for found in self.all("button") if "data-copy" in found]
