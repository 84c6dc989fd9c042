from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from access.models import User
from access.passwords import set_generated


class Command(BaseCommand):
    help = "Add a person who may sign in; prints a password that they can change."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--staff", action="store_true", help="may scan and change registries")
        parser.add_argument("--name", default="", help='first and last name, "Mara Voss"')
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        first, _, last = options["name"].partition(" ")
        user = User(
            username=options["username"],
            first_name=first,
            last_name=last,
            email=options["email"],
            is_staff=options["staff"],
        )
        if User.objects.filter(username=user.username).exists():
            raise CommandError(f"{user.username} exists already; ./run password {user.username} sets a new password")
        user.set_unusable_password()
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.save(force_insert=True)
        kind = "staff, may scan and change registries" if user.is_staff else "may read"
        self.stdout.write(f"{user.username} ({kind}) can sign in with {set_generated(user)}")
