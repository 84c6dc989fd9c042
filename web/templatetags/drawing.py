"""What lists draw by the hundred, in Python: a template for each would cost more than all the rest of a page.

They are builtins like those of `berth`: no template loads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from math import ceil
from typing import Final, NamedTuple

from django import template
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language, gettext, ngettext

from web.templatetags.berth import ago, exact, number, said, short, short_platform

register = template.Library()


class _Bars(NamedTuple):
    """One for each day; in CSS pixels, from one to the next, how wide, and how high at most."""

    pitch: int
    width: float
    height: int


_BARS: Final = ("1.75", "6", "10.25", "14.5")  # where the bars of a glyph are
_LONGEST_BAR: Final = 12
_LATELY: Final = 2  # days whose bars stand out
_STEP: Final = 2  # CSS pixels: what is drawn from counts hardly compresses, so a page has few heights
_BARS_OF: Final = {"pulls": _Bars(2, 1.25, 16), "pushes": _Bars(6, 4, 24)}
_MOST_PLATFORMS: Final = 3
_LONGEST_PLATFORM: Final = 16  # characters in a list; the page of the image has it whole
_LONGEST_REASON: Final = 300


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: int = 16) -> str:
    """The icon NAME of `static/icons.svg`, `size` CSS pixels wide; it is decoration, so its button needs a label.

    A list draws hundreds: all of them are one file that a browser keeps, and a page names them.
    """
    return format_html(
        '<svg width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"/></svg>', size, static("icons.svg"), name
    )


@register.simple_tag
@lru_cache(maxsize=1024)
def glyph(digest: str) -> str:
    """Four bars as an SVG, as long as the digest's first four bytes are large: equal images look equal.

    Whole units of sixteen: a list has fifty, and what is drawn from a digest does not compress.
    """
    try:
        amounts = bytes.fromhex(str(digest).partition(":")[2][:8])
    except ValueError:
        amounts = b""
    if not amounts:
        return ""
    bars = "".join(
        f"M1.5 {y}h{1 + round(amount / 255 * _LONGEST_BAR)}" for y, amount in zip(_BARS, amounts, strict=False)
    )
    return format_html(
        '<svg class="glyph" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>', bars
    )


@register.simple_tag
def digest(value: str, href: str = "", *, copy: bool = False) -> str:
    """A digest that can be told apart at a glance, leads to `href`, and can be copied whole."""
    inner = '<a href="{1}">{2}</a>' if href else '<span title="{3}">{2}</span>'
    shown = format_html('<span class="digest">{0}' + inner + "</span>", glyph(value), href, short(value), value)
    # The whole digest stands in the address or in the title: fifty more times it would weigh much.
    return shown + _copy_button("data-copy-beside", gettext("Copy the whole digest"), 14) if copy else shown


@register.simple_tag
def copy_button(text: str, label: str, size: int = 16) -> SafeString:
    """A button that copies `text` and says so, where scripts run; `label` is its name."""
    return _copy_button(format_html('data-copy="{}"', text), label, size)


def _copy_button(what: str, label: str, size: int) -> SafeString:
    return format_html(
        '<button class="btn ghost sm icon copy" type="button" {0} aria-label="{1}" title="{1}">{2}{3}</button>',
        what, label, icon("copy", size), icon("check", size),
    )  # fmt: skip


@register.simple_tag
def chip(text: str, tone: str = "", reason: str = "") -> str:
    """A state as a chip; `tone` is "warn", "danger", "info", "ok" or "", `reason` says why, cut at 300 letters."""
    sign = {"warn": "warn", "danger": "warn", "ok": "check"}.get(tone)
    drawn = icon(sign, 12) if sign else ""
    if not reason:
        return format_html('<span class="chip {}">{}{}</span>', tone, drawn, text)
    why = Truncator(said(reason)).chars(_LONGEST_REASON)
    return format_html(
        '<span class="chip {0}" title="{3}">{1}{2}<span class="sr">: {3}</span></span>', tone, drawn, text, why
    )


@register.simple_tag
def spark(counts: Sequence[int], of: str) -> str:
    """A bar for each count of `of`, today's the last; nothing where all are 0. The largest is as high as all is.

    All stand on a line of dashes, one for each day.
    """
    if not any(counts):
        return ""
    bars, total, most = _BARS_OF[of], sum(counts), max(counts)
    if of == "pulls":
        words = ngettext("%(all)s pull in %(days)s days", "%(all)s pulls in %(days)s days", total)
    else:
        words = ngettext("%(all)s push in %(days)s days", "%(all)s pushes in %(days)s days", total)
    drawn, (pitch, width, height) = [_bar(bars, count / most) for count in counts], bars
    return format_html(
        '<svg class="spark" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img"><title>{2}</title>'
        '<path class="days" d="M0 {3}H{0}" stroke-dasharray="{4} {5}"/>'
        '<path class="old" d="M0 {1}{6}"/><path d="M{7} {1}{8}"/></svg>',
        pitch * len(counts), height, words % {"all": number(total), "days": len(counts)},
        height - 0.5, width, pitch - width,
        "".join(drawn[:-_LATELY]), pitch * max(0, len(counts) - _LATELY), "".join(drawn[-_LATELY:]),
    )  # fmt: skip


def _bar(bars: _Bars, share: float) -> str:
    """A part of a path, from the foot of one bar to that of the next."""
    pitch, width, height = bars
    if not share:
        return f"h{pitch}"
    return f"V{height - _STEP * ceil(share * height / _STEP)}h{width}V{height}h{pitch - width}"


@register.simple_tag
def lock(why: str | None) -> str:
    """That a tag is protected, which `why` says; nothing for one that is not."""
    if not why:
        return ""
    return format_html(
        '<span class="lock" title="{0}">{1}<span class="sr"> ({0})</span></span>', said(why), icon("lock", 12)
    )


@register.simple_tag
def platforms(names: Sequence[str]) -> str:
    """Platforms (`linux/amd64`) as chips; what does not fit is folded into `+N`."""
    return _chips(tuple(names), get_language())


@lru_cache(maxsize=256)
def _chips(names: tuple[str, ...], _language: str | None) -> str:
    chips = [(name, "", Truncator(short_platform(name)).chars(_LONGEST_PLATFORM)) for name in names[:_MOST_PLATFORMS]]
    if rest := names[_MOST_PLATFORMS:]:
        chips.append((", ".join(rest), format_html('<span class="sr">{} </span>', gettext("and")), f"+{len(rest)}"))
    return format_html_join("", '<span class="chip plat" title="{}">{}{}</span>', chips)


@register.simple_tag
def time(when: datetime | None, otherwise: str = "") -> str:
    """A moment: relative to read, exact on hover and for screen readers; `otherwise` stands there for None."""
    if when is None:
        return conditional_escape(otherwise)
    return format_html('<span title="{0}">{1}<span class="sr">, {0}</span></span>', exact(when), ago(when))
