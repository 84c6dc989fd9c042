from __future__ import annotations

from django.apps import AppConfig


class CleanupConfig(AppConfig):
    name = "cleanup"

    def ready(self) -> None:
        from cleanup import uploads
        from cleanup.sweeping import running as sweeping
        from cleanup.untagged import running as untagged
        from cleanup.verifying import running as verifying
        from jobs import kinds

        for does in (sweeping, verifying, uploads, untagged):
            kinds.register(does.KIND, does.run)
        from cleanup.classic import running as classic
        from jobs import kinds

        kinds.register(classic.KIND, classic.run)
