from __future__ import annotations

from django.apps import AppConfig


class TaggingConfig(AppConfig):
    name = "tagging"

    def ready(self) -> None:
        from jobs import kinds
        from tagging import carrying_out

        kinds.register(carrying_out.KIND, carrying_out.run, writes=True)
