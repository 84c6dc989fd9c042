"""Markdown as HTML that nobody may trust yet: `web.prose` lets through what a page may show.

CommonMark with tables and strikethrough; HTML in the text is text. What a text can cost is bounded before and while it
is read, since a few brackets cost as much as a page of words; what lies beyond a bound is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any, Final, cast

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from web.links import prose_link

MOST_LETTERS: Final = 65_536  # of a text that are laid out
MOST_LINES: Final = 2_000
_MOST_BLOCKS: Final = 3_000  # paragraphs, items and the like
_MOST_STEPS: Final = 5_000  # places at which the text within blocks is looked at
_MOST_CELLS: Final = 2_000
_DEEPEST: Final = 12  # quotes and lists in each other
_SIGNS: Final = {sign: re.compile(f"{re.escape(sign)}+") for sign in "*_~"}
_NO_SLUG: Final = re.compile(r"[^\w -]")
_HEADINGS: Final = 6


def cut(text: str) -> tuple[str, str]:
    """What of a text is laid out, and the rest, which begins at a line wherever that can be."""
    lines = text[:MOST_LETTERS].splitlines(keepends=True)
    if len(text) > MOST_LETTERS and len(lines) > 1:
        lines.pop()
    laid_out = "".join(lines[:MOST_LINES])
    return laid_out, text[len(laid_out) :]


def render(text: str, anchor: str) -> str:
    """HTML of `text`, not to be trusted. `anchor` stands before the names that its links within the page lead to."""
    env: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(text, env)
    _lower_headings(tokens)
    for token in tokens:
        if token.children:
            token.children = list(_gated(token.children, anchor, env))
        if token.type in {"td_open", "th_open"} and "style" in token.attrs:  # which the policy of the pages forbids
            side = str(token.attrs.pop("style")).removeprefix("text-align:")
            token.attrs |= {"class": {"right": "r", "center": "c"}.get(side, "")}
    return _RENDERER.render(tokens, _MARKDOWN.options, env)


def _lower_headings(tokens: list[Token]) -> None:
    """The page has its one h1: begin at h2 and leave out no level. Each gets a name that a link can lead to."""
    above: list[str] = []
    names: dict[str, int] = {}
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type != "heading_open":
            continue
        level = opening.tag
        above = [*(tag for tag in above if tag < level), level]
        opening.tag = closing.tag = f"h{min(_HEADINGS, len(above) + 1)}"
        name = _NO_SLUG.sub("", inline.content.lower()).replace(" ", "-")
        count = names[name] = names.get(name, -1) + 1
        opening.attrSet("id", f"{name}-{count}" if count else name)


def _gated(children: list[Token], anchor: str, env: dict[str, Any]) -> Iterator[Token]:
    """Text whose links lead where a page may link to; of another link the words stay, and an image becomes a link."""
    kept: list[bool] = []
    for token in children:
        if token.type == "link_open":
            address = prose_link(token.attrGet("href"), anchor)
            kept.append(bool(address))
            if address:
                token.attrs = {"href": address}
                yield token
        elif token.type == "link_close":
            if kept.pop():
                yield token
        elif token.type == "image":
            yield from _as_link(token, anchor, env, is_in_link=any(kept))
        else:
            yield token


def _as_link(image: Token, anchor: str, env: dict[str, Any], *, is_in_link: bool) -> Iterator[Token]:
    words = _RENDERER.renderInlineAsText(image.children or [], _MARKDOWN.options, env)
    address = None if is_in_link else prose_link(image.attrGet("src"), anchor)
    if address:
        yield Token("link_open", "a", 1, attrs={"href": address})
    yield Token("text", "", 0, content=words or address or "")
    if address:
        yield Token("link_close", "a", -1)


def _count_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  the parser's way
    """The first rule at each block; when there were too many, the lines from here on are shown as they are."""
    if silent or _spend(state.env, "blocks", 1) <= _MOST_BLOCKS:
        return False
    lines = state.getLines(start, end, state.blkIndent, keepLastLF=True)
    state.push("code_block", "code", 0).content = lines
    state.line = end
    return True


def _count_step(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the parser's way
    """The first rule at each place of a text; when there were too many, the rest of it is plain.

    Each sign of a row of them is work: it may open or close an emphasis.
    """
    text, place = state.src, state.pos
    signs = _SIGNS.get(text[place])
    row = signs.match(text, place) if signs else None
    if _spend(state.env, "steps", len(row[0]) if row else 1) <= _MOST_STEPS:
        return False
    if not silent:
        state.pending += state.src[state.pos : state.posMax]
    state.pos = state.posMax
    return True


def _spend(env: MutableMapping[str, Any], what: str, amount: int) -> int:
    """How much of it is spent by now."""
    env[what] = env.get(what, 0) + amount
    return int(env[what])


def _small_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  the parser's way
    """A table of as many cells as are left to spend: one line may stand for any number of empty ones."""
    first = state.getLines(start, start + 1, 0, keepLastLF=False)
    if "|" not in first:
        return False
    left, columns = _MOST_CELLS - _spend(state.env, "cells", 0), first.count("|") + 1
    if not table(state, start, min(end, start + left // columns), silent):
        return False
    if not silent:
        _spend(state.env, "cells", columns * (state.line - start))
    return True


def _in_box(tag: str) -> Any:
    """A table stands in a box of its own, in which it scrolls where it is wider than the page."""
    return lambda *_: f"<div>{tag}" if tag == "<table>" else f"{tag}</div>"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    parser.block.ruler.before("table", "blocks", _count_block)
    parser.inline.ruler.before("text", "steps", _count_step)
    parser.block.ruler.at("table", _small_table, {"alt": ["paragraph", "reference"]})
    parser.add_render_rule("table_open", _in_box("<table>"))
    parser.add_render_rule("table_close", _in_box("</table>"))
    return parser


_MARKDOWN: Final = _parser()
_RENDERER: Final = cast("RendererHTML", _MARKDOWN.renderer)
