"""What a browser fetches with a page that it sees for the first time: styles, scripts, and what the styles name."""

from __future__ import annotations

import gzip
import re
from typing import Final
from urllib.parse import urljoin, urlsplit

from registry_ui.bench.pages import Answer, Reader

_IN_PAGE: Final = re.compile(r"""<(?:link|script|img)\b[^>]*?\b(?:href|src)="(/static/[^"]+)""")
_IN_STYLE: Final = re.compile(r"""url\(["']?([^"')]+)["']?\)""")


def of_static(reader: Reader, page: str) -> dict[str, int]:
    """Bytes of each file that comes with the page at that path, as they are sent to a browser that takes gzip."""
    weights: dict[str, int] = {}
    with reader.connected() as connection:
        waiting = [(page, _IN_PAGE, reader.ask(connection, page))]
        while waiting:
            base, pattern, answer = waiting.pop()
            for found in pattern.findall(_text(answer)):
                path = urlsplit(urljoin(base, found)).path
                if path.startswith("/static/") and path not in weights:
                    fetched = reader.ask(connection, path)
                    weights[path] = len(fetched.body)
                    if path.endswith(".css"):
                        waiting.append((path, _IN_STYLE, fetched))
    return weights


def _text(answer: Answer) -> str:
    is_packed = answer.headers.get("Content-Encoding") == "gzip"
    return (gzip.decompress(answer.body) if is_packed else answer.body).decode()
