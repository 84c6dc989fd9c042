"""What a command reads from where its options say that it is kept: a password, a file of certificates."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Final

from django.core.management.base import CommandError

WHERE: Final = "prompt, stdin, env:NAME or file:PATH; never the password itself"


def password(source: str | None) -> str | None:
    """The password from where `source` says it is; None where nothing is said."""
    kind, _, where = (source or "").partition(":")
    try:
        match kind:
            case "":
                return None
            case "prompt" if sys.stdin.isatty():
                return getpass.getpass("Password: ")
            case "prompt":
                raise CommandError("nobody can be asked for the password here: use --password-from stdin")
            case "stdin":
                return sys.stdin.readline().rstrip("\r\n")
            case "env":
                return os.environ[where]
            case "file":
                return Path(where).read_text(encoding="utf-8").rstrip("\r\n")
            case _:
                raise CommandError(f"--password-from takes {WHERE}")
    except KeyError:
        raise CommandError(f"--password-from: the environment has no {where}") from None
    except (OSError, UnicodeError) as error:
        raise CommandError(f"--password-from: {where} cannot be read: {type(error).__name__}") from error


def pem(option: str, path: str | None) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace") if path else ""
    except OSError as error:
        raise CommandError(f"{option}: {path} cannot be read: give the path of a PEM file") from error
