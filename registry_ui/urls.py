"""Every address that Berth answers."""

from __future__ import annotations

from django.urls import include, path

from api import health

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("api/v1/", include("api.urls")),
    path("", include("web.urls")),
]

handler400 = "registry_ui.refusals.bad_request"
handler403 = "registry_ui.refusals.denied"
handler404 = "registry_ui.refusals.not_found"
handler500 = "registry_ui.refusals.fault"
