"""Every address that Berth answers."""

from __future__ import annotations

from django.urls import include, path

from api import health

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("", include("web.urls")),
]

handler400 = "web.views.errors.bad_request"
handler403 = "web.views.errors.denied"
handler404 = "web.views.errors.not_found"
handler500 = "web.views.errors.fault"
