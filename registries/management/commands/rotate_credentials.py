from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registries.rotation import rotate_credentials


class Command(BaseCommand):
    help = "Encrypt the stored credentials anew with the first key of BERTH_CREDENTIALS_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        rotated, unreadable = rotate_credentials()
        self.stdout.write(f"{rotated} stored passwords and keys are encrypted with the first key now.")
        if unreadable:
            raise CommandError(
                f"No key opens what is stored for {', '.join(unreadable)}: add the key that was used before"
                " to BERTH_CREDENTIALS_KEY, or give password and client certificate anew."
            )
