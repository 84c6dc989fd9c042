"""What the frame of every page needs: who looks, where they are, and what the footer says."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest

from access.policy import may_administer, may_read
from catalog.models import Scan
from registries.models import Registry

_SECTIONS: Final = {
    "repositories": "repositories",
    "registry": "repositories",
    "repository": "repositories",
    "tag": "repositories",
    "manifest": "repositories",
    "jobs": "jobs",
    "job": "jobs",
}


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

    @cached_property
    def section(self) -> str:
        """Which entry of the main navigation is the current one."""
        match = self._request.resolver_match
        name = match.url_name or "" if match else ""
        return "registries" if name.startswith("registries") else _SECTIONS.get(name, "")

    @cached_property
    def registries(self) -> list[Registry]:
        """The active ones, each with `scanned_at`: the end of its last complete scan."""
        newest = Scan.objects.filter(registry=OuterRef("pk")).complete().newest_first()
        finished = Subquery(newest.values("finished_at")[:1])
        return list(Registry.objects.active().by_name().annotate(scanned_at=finished))

    @cached_property
    def has_several(self) -> bool:
        """More than one registry is active, so pages say which they mean."""
        return len(self.registries) > 1


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": Frame(request)}
