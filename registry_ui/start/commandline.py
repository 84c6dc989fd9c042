"""Django's command line, called by the name under which people know it: `./run manage`."""

from __future__ import annotations

import sys
from typing import Any, Final

from django.core.management import BaseCommand, ManagementUtility
from django.core.management.base import CommandParser, DjangoHelpFormatter

NAME: Final = "./run manage"


class _Formatter(DjangoHelpFormatter):
    """Writes the usage lines: Django names a program by the last part of its path."""

    def __init__(self, prog: str, *args: Any, **options: Any) -> None:
        super().__init__(prog if prog.startswith(NAME) else f"./{prog}", *args, **options)


class _Utility(ManagementUtility):
    def __init__(self, argv: list[str]) -> None:
        super().__init__(argv)
        self.prog_name = NAME

    def fetch_command(self, subcommand: str) -> BaseCommand:
        command = super().fetch_command(subcommand)
        make = command.create_parser

        def create_parser(prog_name: str, subcommand: str, **options: Any) -> CommandParser:
            parser = make(prog_name, subcommand, formatter_class=_Formatter, **options)
            parser.prog = f"{NAME} {subcommand}"
            return parser

        command.create_parser = create_parser  # type: ignore[method-assign]  # of this one command
        return command


if __name__ == "__main__":
    _Utility([NAME, *sys.argv[1:]]).execute()
