from __future__ import annotations

from django.apps import AppConfig


class CleanupConfig(AppConfig):
    name = "cleanup"
