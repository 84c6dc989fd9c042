from __future__ import annotations

from django.apps import AppConfig


class CleanupConfig(AppConfig):
    name = "cleanup"

    def ready(self) -> None:
        from cleanup.sweeping import running as sweeping
        from jobs import kinds

        kinds.register(sweeping.KIND, sweeping.run)
        from cleanup import uploads
        from cleanup.verifying import running
        from jobs import kinds

        kinds.register(running.KIND, running.run)
        kinds.register(uploads.KIND, uploads.run)
