"""The roof: settings, urls, Celery and the start, which wire the rest and are imported by nobody."""

from __future__ import annotations

from registry_ui.celery import app as celery_app

__all__ = ["celery_app"]
