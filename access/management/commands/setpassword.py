from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from access.models import User
from access.passwords import set_generated


class Command(BaseCommand):
    help = "Give a person (admin, where none is named) a new password, print it, and end their sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", default="admin")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(
                f"nobody is called {options['username']}; ./run manage adduser {options['username']} adds them"
            )
        self.stdout.write(f"{user.username} can sign in with {set_generated(user)}")
