"""Bytes that a browser saves and never opens."""

from __future__ import annotations

from django.http import Http404, HttpResponse


def attachment(content: bytes | None, name: str, content_type: str = "application/octet-stream") -> HttpResponse:
    """The bytes are a stranger's and may look like a page. Raises Http404 where there are none."""
    if content is None:
        raise Http404
    headers = {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    }
    return HttpResponse(content, headers=headers)
