from __future__ import annotations

import pytest

from web.links import web_link

GOOD = [
    "https://example.org",
    "http://example.org",
    "https://example.org/",
    "https://git.example.org/platform/api",
    "https://example.org:8443/a/b?c=d&e=f#g",
    "HTTPS://EXAMPLE.ORG/Path",
    "https://example.org/%2e%2e/x",
    "https://127.0.0.1:5000/",
    "http://localhost",
    "https://[2001:db8::1]:8080/x",
    "https://xn--bcher-kva.example/",
    "https://example.org/a:b@c",
    "https://example.org/?next=javascript:alert(1)",
    "https://a-b.example.org",
    "https://example.org/~user/(x)",
]
BAD = [
    "",
    " ",
    "example.org",
    "www.example.org",
    "/r/local/app",
    "//evil.example.org",
    "///evil.example.org",
    "https:/example.org",
    "https:example.org",
    "https://",
    "https:///path",
    "http://?x",
    "http://#x",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "javascript://example.org/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "ftp://example.org",
    "ssh://git@example.org/x",
    "git+https://example.org/x",
    "mailto:a@example.org",
    "blob:https://example.org/x",
    "about:blank",
    "view-source:https://example.org",
    "https://user@example.org",
    "https://user:secret@example.org",
    "https://example.org@evil.example.net",
    "https://@example.org",
    "https://example.org\\@evil.example.net",
    "https:\\\\example.org",
    "https://exa mple.org",
    " https://example.org",
    "https://example.org ",
    "https://example.org\n",
    "https://example.org\r\nSet-Cookie: a=b",
    "https://example.org/\x00",
    "https://example.org/\x1b[31m",
    "https://example.org/\u202ecod.exe",
    "https://ex\u0430mple.org",
    "https://bücher.example",
    "https://example.org/<script>",
    'https://example.org/"onmouseover="alert(1)',
    "https://example.org/'x",
    "https://example.org/`x`",
    "https://example.org/{{7*7}}",
    "https://example.org:99999/",
    "https://example.org:port/",
    "https://[::1",
    "https://[evil]/",
    "https://-example.org",
    "https://example_.org%00.evil.net",
    "https://" + "a" * 3000,
    "https://.example.org",
    "https://example..org\t",
]


@pytest.mark.parametrize("text", GOOD)
def test_an_absolute_web_address_is_linked_as_it_stands(text: str) -> None:
    assert web_link(text) == text


@pytest.mark.parametrize("text", BAD)
def test_everything_else_stays_text(text: str) -> None:
    assert web_link(text) is None


@pytest.mark.parametrize("value", [None, 7, ["https://example.org"], b"https://example.org"])
def test_what_is_no_text_is_no_link(value: object) -> None:
    assert web_link(value) is None
