from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from catalog import folding, removal, scan
        from jobs import kinds

        post_migrate.connect(_prepare_search, sender=self)
        kinds.register(scan.KIND, scan.run)
        kinds.register(removal.KIND, removal.run)
        kinds.register(folding.KIND, folding.run)


def _prepare_search(using: str, **_: Any) -> None:
    from catalog import search_index

    search_index.prepare(connections[using])
