"""Text that people write in Markdown, as HTML that a page may show: the one place that declares HTML safe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import nh3
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from web import markdown
from web.links import prose_link

ANCHOR: Final = "readme-"  # before every name that a text gives, so that it is none of the page's own
HEADINGS: Final = frozenset({"h2", "h3", "h4", "h5", "h6"})
ATTRIBUTES: Final = {"a": {"href"}, "ol": {"start"}, **{heading: {"id"} for heading in HEADINGS}}
CLASSES: Final = {"td": {"r", "c"}, "th": {"r", "c"}}  # how a column is aligned
TAGS: Final = HEADINGS | set(
    "p br hr a em strong s code pre blockquote ul ol li div table thead tbody tr th td".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Prose:
    """`html` came through the sanitiser, since only `of` makes one; `rest` is plain text that was not laid out."""

    html: SafeString
    rest: str

    @classmethod
    def of(cls, text: str) -> Self:
        """`text` laid out; of a long one the beginning (`markdown.cut`). At most 100 ms, whatever stands in it."""
        laid_out, rest = markdown.cut(text)
        return cls(_clean(laid_out, get_language() or ""), rest)


@lru_cache(8)  # half a megabyte at most: the page that is being looked at, and the previews of who writes
def _clean(text: str, language: str) -> SafeString:  # noqa: ARG001  the language is that of the labels in it
    cleaned = nh3.clean(
        markdown.render(text, ANCHOR),
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=_let_through,
        allowed_classes={tag: set(names) for tag, names in CLASSES.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
        id_prefix=ANCHOR,
        # What may scroll can be reached by keyboard.
        set_tag_attribute_values={
            "div": {"tabindex": "0", "role": "group", "aria-label": gettext("Table")},
            "pre": {"tabindex": "0"},
        },
    )
    # Tags and attributes are on the lists above, written out anew from a parsed tree by the sanitiser, a browser's own
    # parser: this is what it is for. Nothing else in Berth may say so; the test of the sources counts the places.
    return mark_safe(cleaned)  # noqa: S308


def _let_through(tag: str, name: str, value: str) -> str | None:
    """The value of an attribute that is on the list, or None to leave it out."""
    if (tag, name) == ("a", "href"):
        return value if value.startswith(f"#{ANCHOR}") else prose_link(value)
    return value if name != "start" or value.isdecimal() else None
