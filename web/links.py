"""Which text may become a link: an absolute http or https address, nothing that only looks like one."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from django.utils.http import url_has_allowed_host_and_scheme

_LONGEST: Final = 2000
# What browsers and parsers read differently: white space, control characters, backslashes, quotes, angle brackets.
_DOUBTFUL: Final = re.compile(r"[^\x21-\x7e]|[\\\"'<>^`{|}]")
_MAIL: Final = re.compile(r"mailto:[A-Za-z0-9._+-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_WITHIN: Final = re.compile(r"#[A-Za-z0-9_%.-]+")
_REVISION: Final = re.compile(r"[0-9a-f]{7,64}")
_PROJECT: Final = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9._-]*){2,10}")
# Where the page of a commit is, by the first part of the host's name that says which kind of host it is.
_COMMITS: Final = {
    "github": "/commit/",
    "gitlab": "/-/commit/",
    "codeberg": "/commit/",
    "gitea": "/commit/",
    "forgejo": "/commit/",
    "bitbucket": "/commits/",
}
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


def prose_link(text: object, anchor: str = "") -> str | None:
    """`text` if prose may link to it, else None: a web address, a mail address, or, with `anchor`, a place within it.

    The name of a place gets `anchor` in front, as the headings of the prose have it. An address that is relative would
    lead into Berth itself, so it is none.
    """
    if isinstance(text, str) and len(text) <= _LONGEST:
        if anchor and _WITHIN.fullmatch(text):
            return f"#{anchor}{text[1:]}"
        if _MAIL.fullmatch(text):
            return text
    return web_link(text)


def commit_link(source: str, revision: str) -> str | None:
    """The page of the commit `revision` at the host of `source`; None where either is not what it should be."""
    address = web_link(source.removesuffix("/").removesuffix(".git"))
    if not address or not address.startswith("https://") or not _REVISION.fullmatch(revision):
        return None
    parts = urlsplit(address)
    labels = (parts.hostname or "").split(".")
    path = next((path for host, path in _COMMITS.items() if host in labels), None)
    if path is None or parts.query or parts.fragment or not _PROJECT.fullmatch(parts.path):
        return None
    return f"{address}{path}{revision}"


def page_of_ours(address: str) -> str:
    """`address` if it is a path of this site, which a form may lead back to, else the first page."""
    is_ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_ours else "/"
