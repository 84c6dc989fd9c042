"""The addresses of the API, below /api/v1/."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, path

from api import documentation, events
from api.door import explained
from api.v1 import API


def _operations() -> Iterator[URLPattern]:
    """Those of ninja, but for its root, which only leads to its own pages of documentation."""
    for pattern in API.urls[0]:
        if isinstance(pattern, URLPattern) and pattern.name != "api-root":
            yield URLPattern(pattern.pattern, explained(pattern.callback), pattern.default_args, pattern.name)


urlpatterns = [
    path("openapi.json", explained(documentation.openapi), name="api-openapi"),
    path("docs", explained(documentation.page), name="api-docs"),
    path("events/<registry:registry>", events.receive, name="api-events"),
    *_operations(),
]
