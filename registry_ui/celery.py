"""The Celery application; what it does is in the settings that begin with CELERY_."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_ui.settings")

app = Celery("berth")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _use_our_logging(**_: object) -> None:
    """Celery keeps its hands off: Django's LOGGING has configured it."""
