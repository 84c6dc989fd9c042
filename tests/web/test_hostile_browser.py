"""Whatever whoever pushed an image wrote in it, in a real browser: nothing runs, nothing breaks, the text is there."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Dialog, Page, Request, expect

from tests.hostile import Hostile
from tests.web import hostile_things as things
from tests.web.hostile_things import Voice
from tests.web.visit import Visit

pytestmark = [pytest.mark.long, pytest.mark.sampled(3)]

MARKUP: Final = (
    "<script>ran=1</script>",
    '"><img src=x onerror=ran=1>',
    "'><svg/onload=ran=1>",
    "</title></textarea></script><script>ran=1</script>",
    "--><iframe srcdoc='<script>parent.ran=1</script>'>",
    "javascript:ran=1",
    "[x](javascript:ran=1)",
    "JaVa\tScRiPt:ran=1",
    "data:text/html,<script>ran=1</script>",
    "//evil.example/x",
    '" autofocus onfocus="ran=1',
    "' hx-on:click='ran=1' hx-get='/evil",
    "<b hx-get=/evil hx-trigger=load>b</b>",
    '<form action=/evil><button popovertarget=keys formaction="/evil">x',
    "<style>*{display:none}</style><base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=/evil>",
    "{{7*7}} {% now 'Y' %} ${7*7} #{7*7} <%= 7*7 %>",
    "&lt;b&gt; &amp;lt; &#x3c;",
)
LETTERS: Final = (
    "x" * 5_000,
    "https://git.example.org/" + "y" * 900,
    "\u202egnp.exe\u202d\u2066",
    "\u05d0\u05d1\u05d2 \u0627\u0644 abc",
    "z\u0335\u0336\u0337" * 40,
    "zero\u200bwidth\u200d\ufeff\u00ad\u2060",
    "\x1b[31m red \x07\x7f\x85",
    "line\r\nline\u2028line\tline",
    "\U000e0041\U0001f468\u200d\U0001f469\ufdd0",
)
CORPORA: Final = {"markup": MARKUP, "letters": LETTERS}
STRANGE: Final = "script:not([src]), iframe, object, embed, img, base, style, math, marquee, [srcdoc], [autofocus], \
[href^='javascript:' i], [href^='data:' i], [src^='data:' i], [hx-get*='evil'], \
[formaction]:not([formaction^='/r/']), [http-equiv]"
EVENTS: Final = """() => [...document.querySelectorAll("*")].flatMap(one => [...one.attributes])
    .map(attribute => attribute.name).filter(name => /^(hx-)?on/.test(name))"""
# A mark that turns the direction holds to the end of its block: what of ours stands in it would be turned as well.
TURNED: Final = r"""() => {
    const marks = /[\u202a-\u202e\u2066-\u2068]/, found = [];
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const node = walk.currentNode, rest = document.createRange();
        if (!marks.test(node.data) || node.parentElement.closest("textarea, option")) continue;
        let box = node.parentElement;
        const bears = style => /isolate|plaintext/.test(style.unicodeBidi) || style.display != "inline";
        while (!bears(getComputedStyle(box))) box = box.parentElement;
        rest.setStartAfter(node);
        rest.setEnd(box, box.childNodes.length);
        if (rest.toString().trim()) found.push(`${box.outerHTML.slice(0, 300)} before ${rest.toString().slice(0, 40)}`);
    }
    return found;
}"""


@pytest.fixture
def visitor(visit: Visit) -> Visit:
    """Without motion; a dialog and a request to where a text leads are complaints."""

    def dialog(opened: Dialog) -> None:
        visit.complaints.append(f"dialog: {opened.message}")
        opened.dismiss()

    def request(asked: Request) -> None:
        if "evil" in asked.url:
            visit.complaints.append(f"request: {asked.url}")

    visit.page.emulate_media(reduced_motion="reduce")
    visit.page.on("dialog", dialog)
    visit.page.on("request", request)
    return visit


def squeezed(text: str) -> str:
    """Without what no font shows and what a browser lays out in its own way."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\ufffd]+", "", text)


def look(visit: Visit, path: str, *, with_axe: bool = True) -> None:
    """Whole, wide and narrow; nothing ran and nothing came of a text."""
    page = visit.page
    page.set_viewport_size({"width": 1360, "height": 900})
    visit.check_whole(path)
    page.set_viewport_size({"width": 390, "height": 900})
    (visit.check_but_colours if with_axe else visit.check_whole)(path)
    assert not page.evaluate("'ran' in window"), path
    assert page.locator(STRANGE).evaluate_all("all => all.map(one => one.outerHTML)") == [], path
    assert page.evaluate(EVENTS) == [], path
    assert page.evaluate(TURNED) == [], path


def expect_all(page: Page, voice: Voice, path: str) -> None:
    said = squeezed(page.locator("main").inner_text())
    assert [text for text in voice.texts if squeezed(text)[:60] not in said] == [], path


@pytest.mark.parametrize("corpus", ["markup", pytest.param("letters", marks=pytest.mark.sampled)])
def test_every_page_of_a_hostile_registry_is_whole(visitor: Visit, hostile: Hostile, corpus: str) -> None:
    voice = Voice(CORPORA[corpus])
    for path, holds_all in things.paths(things.build(voice, hostile)):
        visitor.go(path)
        if holds_all:
            expect_all(visitor.page, voice, path)
        look(visitor, path, with_axe=corpus == "markup")  # the letters make no other elements


@pytest.mark.parametrize("corpus", CORPORA)
def test_what_is_fetched_into_a_page_is_text_too(visitor: Visit, hostile: Hostile, corpus: str) -> None:
    voice, page = Voice(CORPORA[corpus]), visitor.page
    things.build(voice, hostile)
    app = f"/r/{things.NAME}/team/app"
    visitor.go(f"{app}/-/tags/1.0")
    expect(page.get_by_text("The registry also names")).to_be_visible()
    page.locator(".steps a.chip[hx-get]").first.click()
    expect(page.locator(".sharers")).to_be_visible()
    page.locator("#family").scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name="It builds on")).to_be_visible()
    page.get_by_role("link", name="As Dockerfile").click()
    expect(page.locator("#dockerfile")).to_be_visible()
    look(visitor, "an image with its parts")
    visitor.go(f"{app}/-/tags/chart")
    page.get_by_role("link", name="Show the values").click()
    expect(page.locator("#chart-values")).to_be_visible()
    expect_all(page, voice, "a chart")
    look(visitor, "a chart with its files")


@pytest.mark.parametrize("corpus", CORPORA)
def test_what_is_hostile_is_found(visitor: Visit, hostile: Hostile, corpus: str) -> None:
    voice, page = Voice(CORPORA[corpus]), visitor.page
    things.build(voice, hostile)
    for text in voice.texts[:3]:
        visitor.go(f"/search?{urlencode({'q': text[:250]})}")
        expect(page.locator("main").get_by_role("link", name="team/app").first).to_be_visible()
        look(visitor, f"the search for {text[:40]}")
    field = page.get_by_role("searchbox", name="Search images, tags, digests")
    field.fill(voice.texts[0][:250])
    expect(page.locator("#finds [data-row]").first).to_contain_text("team/app")
    visitor.check("the palette")
    visitor.go("/search?q=type:x")
    look(visitor, "the search for types")


def test_the_answers_of_the_api_are_text_where_they_are_tried(visitor: Visit, hostile: Hostile) -> None:
    voice, page = Voice(MARKUP), visitor.page
    things.build(voice, hostile)
    visitor.go("/api/v1/docs")
    page.locator(".opblock-summary-control").filter(has_text="/api/v1/jobs").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("ran=1")
    page.set_viewport_size({"width": 390, "height": 900})
    visitor.check_whole("an answer of the API")
    assert not page.evaluate("'ran' in window")
    assert page.locator(".live-responses-table").locator(STRANGE).count() == 0
