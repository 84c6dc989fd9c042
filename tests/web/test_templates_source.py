"""The source of the pages: nothing in it that the policy forbids, and nothing that lets hostile text through."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import get_template

ROOT: Final = settings.BASE_DIR
TEMPLATES: Final = sorted((ROOT / "templates").rglob("*.html"))
ICONS: Final = ROOT / "static/icons.svg"
SOURCES: Final = [
    path
    for folder in ("web", "api", "access", "catalog", "notices", "jobs", "registries", "registry_ui", "sync", "oci")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
SCRIPTS: Final = sorted((ROOT / "static").glob("*.js"))
FORBIDDEN: Final = {
    "a style of its own": r"\sstyle\s*=|<style",
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "an inline handler": r"\son[a-z]+\s*=",
    "htmx code": r"hx-on|hx-vals\s*=\s*['\"]js:|hx-headers\s*=\s*['\"]js:|hx-vars|hx-trigger=\"[^\"]*\[",
    "unescaped text": r"\|\s*safe\b|autoescape|safeseq|\|\s*json_script",
    "a file from outside": r"(?:src|href|action)\s*=\s*[\"'](?:https?:)?//",
    "a script address": r"javascript:",
}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*TEMPLATES, ICONS], ids=_name)
def test_a_template_has_nothing_that_is_forbidden(path: Path) -> None:
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)
    for what, pattern in FORBIDDEN.items():
        assert not re.search(pattern, text, flags=re.IGNORECASE), f"{what} in {_name(path)}"


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_an_icon_that_a_template_names_is_there(path: Path) -> None:
    there = set(re.findall(r'<symbol id="([a-z-]+)"', ICONS.read_text()))
    named = re.findall(r"""{% icon ["']([^"']+)["']|icon_name=["']([^"']+)["']""", path.read_text())
    assert {name for pair in named for name in pair if name} <= there


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_a_template_compiles(path: Path) -> None:
    get_template(str(path.relative_to(ROOT / "templates")))


@pytest.mark.parametrize("path", [p for p in TEMPLATES if p.parent.name == "components"], ids=_name)
def test_a_component_begins_with_its_contract(path: Path) -> None:
    assert path.read_text().startswith("{% comment %}\n")


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_no_code_declares_hostile_text_safe(path: Path) -> None:
    """But the sanitiser, which does it in one place."""
    declared = re.findall(r"\bmark_safe\(|\bSafeString\(|html_safe|\|safe\b", path.read_text())
    assert declared == (["mark_safe("] if _name(path) == "web/prose.py" else [])


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_a_script_neither_evaluates_nor_builds_html(path: Path) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|https?://", path.read_text()
    )


def test_our_script_is_small() -> None:
    assert (ROOT / "static/app.js").stat().st_size < 6 * 1024


def test_every_word_of_a_page_can_be_translated() -> None:
    """Text between tags stands in a translate tag; what is a name or a sign does not count."""
    for path in TEMPLATES:
        text = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)
        text = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", text, flags=re.DOTALL)
        text = re.sub(r"{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
        for words in re.findall(r">([^<>]*[A-Za-z]{3,}[^<>]*)<", text):
            assert words.strip() in _NAMES, f"{words.strip()!r} in {_name(path)}"


_NAMES: Final = {"Berth", "· Berth", "helm", "Enter", "./run password NAME", "CSV", "JSON Lines"}


def test_the_style_asks_for_no_file_from_outside() -> None:
    text = (ROOT / "static/app.css").read_text()
    assert not re.search(r"@import|url\((?![\"']?(fonts/|chevron))|expression\(", text)
    for name in re.findall(r"url\([\"']?([^\"')]+)", text):
        assert finders.find(name)
