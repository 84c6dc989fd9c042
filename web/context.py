"""What the frame of every page needs: who looks, where they are, and what the footer says."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from access.policy import may_administer, may_read
from registries.models import Registry
from web.language import LANGUAGES
from web.outages import Outage, active_with_last_scans, outages_of

_SECTIONS: Final = {
    "": "repositories",
    "r": "repositories",
    "plans": "activity",
    "activity": "activity",
    "trash": "trash",
    "storage": "storage",
    "sync": "sync",
    "cleanup": "cleanup",
    "jobs": "jobs",
    "registries": "registries",
    "protection": "registries",
    "notices": "registries",
}


def active_registries(request: HttpRequest) -> list[Registry]:
    """The active ones, each with `scanned_at`: the end of its last complete scan. Asked for once a request."""
    kept: list[Registry] | None = getattr(request, "_active_registries", None)
    if kept is None:
        kept = active_with_last_scans()
        request._active_registries = kept  # type: ignore[attr-defined]  # noqa: SLF001  kept where it is used
    return kept


class Frame:
    """Asked for lazily: a part that htmx fetches has no frame and costs no query."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def may_read(self) -> bool:
        return may_read(self._request.user, anonymous_read=settings.ANONYMOUS_READ)

    @cached_property
    def may_administer(self) -> bool:
        return may_administer(self._request.user)

    @property
    def languages(self) -> list[tuple[str, str]]:
        """The code of each, and the name that it has in itself."""
        return list(LANGUAGES.items())

    @cached_property
    def section(self) -> str:
        """Which entry of the main navigation is the current one, by the first part of the address."""
        return _SECTIONS.get(self._request.path_info.split("/")[1], "")

    @cached_property
    def registries(self) -> list[Registry]:
        return active_registries(self._request)

    @cached_property
    def registries_from_here(self) -> list[Registry]:
        """The active ones, that of the page first."""
        return sorted(self.registries, key=lambda registry: registry.name != self._named)

    @cached_property
    def closed(self) -> list[Registry]:
        """Those that a garbage collection needs read-only."""
        return [registry for registry in self.registries if registry.closed_since]

    @cached_property
    def outages(self) -> list[Outage]:
        """Of the registry whose page this is, of all on a page of all."""
        return outages_of(registry for registry in self.registries if self._named in {"", registry.name})

    @cached_property
    def _named(self) -> str:
        match = self._request.resolver_match
        kwargs = match.kwargs if match else {}
        return str(kwargs.get("registry") or kwargs.get("name") or "")

    @cached_property
    def has_several(self) -> bool:
        """More than one registry is active, so pages say which they mean."""
        return len(self.registries) > 1


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": Frame(request)}
