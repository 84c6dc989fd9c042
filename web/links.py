"""Which text from an image may become a link: an absolute http or https address, nothing that only looks like one."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_LONGEST: Final = 2000
# What browsers and parsers read differently: white space, control characters, backslashes, quotes, angle brackets.
_DOUBTFUL: Final = re.compile(r"[^\x21-\x7e]|[\\\"'<>^`{|}]")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")


def web_link(text: object) -> str | None:
    """`text` if it is a web address that may be linked to, else None. Nothing is repaired."""
    if not isinstance(text, str) or len(text) > _LONGEST or _DOUBTFUL.search(text):
        return None
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if not text.lower().startswith(("http://", "https://")) or "@" in parts.netloc:
        return None
    bracketed = f"[{host}]" if host and ":" in host else host
    return text if bracketed and _HOST.fullmatch(bracketed) else None
