from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections, router


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        post_migrate.connect(_lay_guard, sender=self)


def _lay_guard(using: str, **_: Any) -> None:
    from audit import guard
    from audit.models import Entry

    if router.allow_migrate_model(using, Entry):
        guard.lay(connections[using])
