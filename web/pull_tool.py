"""Whose commands a person is shown first: kept with the person, or in a cookie of somebody who has not signed in."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from access.models import User
from web.commands.images import FIRST, TOOLS

_COOKIE: Final = "pull_tool"
_KEPT: Final = timedelta(days=365)


def tool_of(request: HttpRequest) -> str:
    """One of TOOLS: what was chosen, else the first."""
    user = request.user
    chosen = user.pull_tool if isinstance(user, User) else request.COOKIES.get(_COOKIE, "")
    return chosen if chosen in TOOLS else FIRST


def keep_tool(request: HttpRequest, response: HttpResponse, tool: str) -> None:
    """`tool` is one of TOOLS."""
    if isinstance(request.user, User):
        request.user.pull_tool = tool
        request.user.save(update_fields=["pull_tool"])
        return
    response.set_cookie(
        _COOKIE, tool, max_age=_KEPT, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
