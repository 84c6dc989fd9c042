"""The language that a person reads: what they chose, kept with them or in a cookie; else what the browser asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from access.models import User

LANGUAGES: Final = dict(settings.LANGUAGES)
"""Their codes, each with the name that it has in itself."""
_KEPT: Final = timedelta(days=365)
GetResponse = Callable[[HttpRequest], HttpResponse]


class LanguageOfThePerson:
    """What somebody chose holds in every browser they sign in with, over what that browser asks for."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Who has no session is nobody yet: a health check need not ask the database.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and isinstance(request.user, User):
            speak(request, request.user.language)
        return self._get_response(request)


def speak(request: HttpRequest, language: str) -> None:
    """From here on the answer is in `language`; "" and what Berth does not speak leave it as it is."""
    if language in LANGUAGES:
        translation.activate(language)
        request.LANGUAGE_CODE = language


def keep_language(request: HttpRequest, response: HttpResponse, language: str) -> None:
    """`language` is one of LANGUAGES. The cookie is for the pages before signing in, of this browser."""
    if isinstance(request.user, User):
        request.user.language = language
        request.user.save(update_fields=["language"])
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=_KEPT,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
