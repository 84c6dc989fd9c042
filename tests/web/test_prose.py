"""Markdown of people: laid out, through the sanitiser, at a bounded price."""

from __future__ import annotations

import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.pages import Page
from web.links import prose_link
from web.prose import ANCHOR, ATTRIBUTES, CLASSES, TAGS, Prose

SET_BY_US: Final = {"a": {"rel"}, "div": {"tabindex", "role", "aria-label"}, "pre": {"tabindex"}}
HOSTILE: Final = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><animate onbegin=alert(1)></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)' onclick=alert(1)>x</a>",
    "<style>*{background:url(//evil.example)}</style><p style='x'>y</p>",
    "<base href=//evil.example><form action=//evil.example><input name=x>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<details open ontoggle=alert(1)>x</details>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](&#x6A;avascript&colon;alert(1))",
    "[x](java\\script:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](%6Aavascript:alert(1))",
    "[x](vbscript:msgbox)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/\\evil.example)",
    "[x](\\\\evil.example)",
    "[x](/account/password)",
    "[x](?page=2)",
    "[x](https://user:pass@evil.example)",
    "[x](https:evil.example)",
    '[x](https://a.example/"onmouseover="alert(1))',
    "[x](https://a.example 'title\" onclick=\"alert(1)')",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    '![x" onerror="alert(1)](https://a.example/x.png)',
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "[x][r]\n\n[r]: javascript:alert(1)",
    "[x]: data:text/html,<script>\n\n[x]",
    "```<script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```",
    '``` "><img src=x onerror=alert(1)>\nx\n```',
    "`</code><script>alert(1)</script>`",
    "|a|\n|-|\n|</td><script>alert(1)</script>|",
    '# "><script>alert(1)</script> {#x onclick=alert(1)}',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\ud7ff<scr\x00ipt>alert(1)</scr\x00ipt>",
    "[mail](mailto:a@b.example?body=%0d%0aBcc:x)",
    "{{ settings.SECRET_KEY }} {% debug %}",
)


def page(text: str) -> Page:
    return Page(str(Prose.of(text).html))


def check(text: str) -> None:
    """Nothing is in what a page shows but what is on the lists."""
    for tag, attributes in page(text).elements:
        assert tag in TAGS
        classes = {"class"} if tag in CLASSES else set()
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | SET_BY_US.get(tag, set()) | classes
        assert set(attributes.get("class", "").split()) <= CLASSES.get(tag, set())
        assert attributes.get("id", ANCHOR).startswith(ANCHOR)
        assert attributes.get("start", "1").isdecimal()
        if "href" in attributes:
            href = attributes["href"]
            assert href.startswith(f"#{ANCHOR}") or prose_link(href) == href
            assert attributes["rel"] == "nofollow noopener noreferrer"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_hostile_is_text(text: str) -> None:
    check(text)
    check(f"> - {text}\n\n# {text}\n\n|a|\n|-|\n| {text} |\n")


@given(st.text(alphabet=st.sampled_from("<>[]()!#*_`~|\\-\n \t\"'&;:/=.ax1javscriptdonehref\x00é"), max_size=300))
def test_whatever_is_written_only_what_is_on_the_lists_comes_out(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from(HOSTILE), max_size=6), st.lists(st.sampled_from(["\n", "[", "](", ">", "|", "`", "<"])))
def test_hostile_texts_in_each_other_are_text(texts: list[str], between: list[str]) -> None:
    check("".join(text + sign for text, sign in zip(texts, [*between, *"\n" * len(texts)], strict=False)))


def test_what_people_write_is_laid_out() -> None:
    html = str(
        Prose.of(
            "Some *words*, **strong**, ~~old~~ and `code`.\n\n1. one\n2. two\n\n> said\n\n---\n\n"
            "| name | size |\n|---|--:|\n| a | 1 |\n\n```sh\ndocker run x\n```\n\n"
            "[site](https://example.org/x?a=1&b=2), <mailto:team@example.org>, <https://example.org>"
        ).html
    )
    for part in (
        "<em>words</em>",
        "<strong>strong</strong>",
        "<s>old</s>",
        "<code>code</code>",
        "<li>one</li>",
        "<blockquote>",
        "<hr>",
        '<th class="r">size</th>',
        '<pre tabindex="0"><code>docker run x\n</code></pre>',
        '<a href="https://example.org/x?a=1&amp;b=2" rel="nofollow noopener noreferrer">site</a>',
        '<a href="mailto:team@example.org"',
        '<a href="https://example.org"',
    ):
        assert part in html


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("# a\n## b\n### c", ["h2", "h3", "h4"]),
        ("### a\n### b\n## c", ["h2", "h2", "h2"]),
        ("# a\n#### b\n#### c\n## d", ["h2", "h3", "h3", "h3"]),
        ("# a\n## b\n### c\n#### d\n##### e\n###### f", ["h2", "h3", "h4", "h5", "h6", "h6"]),
        ("a\n=\n\nb\n-", ["h2", "h3"]),
    ],
)
def test_headings_begin_below_that_of_the_page_and_leave_out_no_level(text: str, levels: list[str]) -> None:
    assert [tag for tag, _ in page(text).elements if tag.startswith("h")] == levels


def test_a_list_of_contents_leads_to_the_headings() -> None:
    found = page("[use](#how-to-use-it), [한](#설치), [two](#a-1)\n\n# How to *use* it!\n# 설치\n# a\n# a")
    assert [heading["id"] for heading in found.all("h2")] == [
        "readme-how-to-use-it",
        "readme-설치",
        "readme-a",
        "readme-a-1",
    ]
    assert found.links == ["#readme-how-to-use-it", "#readme-%EC%84%A4%EC%B9%98", "#readme-a-1"]


def test_an_image_is_a_link_and_loads_nothing() -> None:
    found = page("![a *chart*](https://a.example/x.png) ![](https://b.example) ![local](docs/x.png)")
    assert found.links == ["https://a.example/x.png", "https://b.example"]
    assert found.words == "a chart https://b.example local"
    badge = page("[![build](https://a.example/b.svg)](https://ci.example)")
    assert badge.links == ["https://ci.example"]
    assert badge.words == "build"


def test_words_stay_where_a_link_may_not() -> None:
    found = page("see [the *docs*](docs/x.md) and [**me**](//evil.example)")
    assert found.links == []
    assert found.words == "see the docs and me"


BOMBS: Final = {
    "brackets": "[",
    "images": "![",
    "half links": "[a](",
    "links": "[a](http://b.c/d) ",
    "addresses": "<http://b.c/d> ",
    "pictures": "![a](http://b.c/d)",
    "quotes": ">",
    "quotes in quotes": "> " * 20 + "x\n",
    "lists in lists": "- " * 20 + "x\n",
    "quoted lists": "> - " * 10 + "x\n",
    "items": "- x\n",
    "stars": "*",
    "runs of stars": "*" * 50 + "a" + "*" * 50 + " ",
    "emphasis": "**a *b _c ",
    "tildes": "~a",
    "ticks": "`a` ",
    "entities": "&amp;",
    "half tags": "<a ",
    "escapes": "\\",
    "headings": "# a\n",
    "rules": "a\n---\n",
    "fences": "```\n",
    "definitions": "[a]: b 'c\n",
    "tables": "a|b\n-|-\n\n",
    "columns": "|a" * 100 + "\n" + "|-" * 100 + "\n" + "|\n" * 1000,
    "breaks": "a  \n",
    "lines": "\n",
    "words": "lorem ipsum dolor sit amet ",
}


FOREVER: Final = 10
"""In seconds of the processor: what is linear takes a tenth at most, what is quadratic takes minutes."""


@pytest.mark.parametrize("piece", BOMBS.values(), ids=BOMBS)
def test_no_text_costs_much(piece: str) -> None:
    text = (piece * (256 * 1024 // len(piece) + 1))[: 256 * 1024]
    began = time.process_time()
    Prose.of(text)
    assert time.process_time() - began < FOREVER


def test_ticks_of_all_lengths_cost_not_much() -> None:
    text = " ".join("`" * number for number in range(1, 700))
    began = time.process_time()
    Prose.of(text)
    assert time.process_time() - began < FOREVER
