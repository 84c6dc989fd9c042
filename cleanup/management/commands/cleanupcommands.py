from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cleanup.classic import ways
from cleanup.classic.templates import TEMPLATES
from cleanup.classic.ways import NoWay, Way


class Command(BaseCommand):
    help = (
        "Print a file of the commands by which Berth sweeps a registry, to be adapted; without a kind, what the files"
        " that BERTH_CLEANUP_COMMANDS names say now, and what is wrong with them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", nargs="?", choices=sorted(TEMPLATES), help="how the registry is run")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["kind"]:
            self.stdout.write(TEMPLATES[options["kind"]], ending="")
            return
        if not settings.CLEANUP_COMMANDS:
            raise CommandError("BERTH_CLEANUP_COMMANDS names no file: docs/cleanup-classic.md says how to write one.")
        problems = []
        for path in settings.CLEANUP_COMMANDS:
            try:
                found = ways.read(path)
            except NoWay as reason:
                problems.append(reason.sentence)
                continue
            for address, way in found.items():
                self._tell(address, way)
        if problems:
            raise CommandError("\n".join(problems))

    def _tell(self, address: str, way: Way) -> None:
        self.stdout.write(address)
        parts = [("read-only on", way.read_only_on), ("dry run", [way.dry_run]), ("garbage-collect", [way.collect])]
        for name, commands in [*parts, ("read-only off", way.read_only_off), ("restart", way.restart)]:
            for command in commands:
                self.stdout.write(f"  {name}: {command}")
