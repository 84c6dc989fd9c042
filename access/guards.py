"""Guards for views: who may pass is said on the line above the view, and every route has one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from access.policy import may_administer, may_read

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def readers_only(view: View) -> View:
    """Let readers in; send everyone else to the sign-in page, and back afterwards."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_read(request.user, anonymous_read=settings.ANONYMOUS_READ):
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return cast("View", guarded)


def staff_only(view: View) -> View:
    """Let staff in; a reader gets 403, whoever has not signed in the sign-in page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not may_administer(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return cast("View", guarded)


def signed_in_only(view: View) -> View:
    """For what is a person's own: their password, their session."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return cast("View", guarded)
