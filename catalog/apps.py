from __future__ import annotations

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from catalog import scan
        from jobs import kinds

        kinds.register(scan.KIND, scan.run)
