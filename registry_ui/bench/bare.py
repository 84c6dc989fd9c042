"""The bare view that taking an event in is held against: it answers 204 and does nothing else.

`gunicorn "registry_ui.bench.bare:application()"`: the same server and the same Django, with none of its middleware.
"""

from __future__ import annotations

import os
from typing import Final

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

PATH: Final = "/bare"
READY: Final = "/ready"  # answers 200


def bare(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def application() -> WSGIHandler:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_ui.settings")
    django.setup()
    ready = path(READY.removeprefix("/"), lambda _: HttpResponse())
    settings.ROOT_URLCONF = (path(PATH.removeprefix("/"), bare), ready)
    settings.MIDDLEWARE = []
    return WSGIHandler()
