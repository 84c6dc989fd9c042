from __future__ import annotations

from django.apps import AppConfig


class CleanupConfig(AppConfig):
    name = "cleanup"

    def ready(self) -> None:
        from cleanup import uploads
        from cleanup.classic import running as classic
        from cleanup.retention import running as retention
        from cleanup.sweeping import running as sweeping
        from cleanup.untagged import running as untagged
        from cleanup.verifying import running as verifying
        from jobs import kinds

        kinds.register(classic.KIND, classic.run)
        kinds.register(verifying.KIND, verifying.run)
        for does in (retention, sweeping, untagged, uploads):
            kinds.register(does.KIND, does.run, writes=True)
