"""Choosing the language of the pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from web.language import LANGUAGES, keep_language
from web.links import page_of_ours


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Back to the page where it was chosen; the sign-in page speaks languages too, so nobody has to be known."""
    language = request.POST.get("language", "")
    if language not in LANGUAGES:
        return HttpResponseBadRequest()
    response = redirect(page_of_ours(request.POST.get("next", "")))
    keep_language(request, response, language)
    return response
