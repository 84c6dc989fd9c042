from __future__ import annotations

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from catalog import removal, scan
        from jobs import kinds

        kinds.register(scan.KIND, scan.run)
        kinds.register(removal.KIND, removal.run)
