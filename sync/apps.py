from __future__ import annotations

from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "sync"

    def ready(self) -> None:
        from jobs import kinds
        from sync import running

        kinds.register(running.KIND, running.run, writes=True)
