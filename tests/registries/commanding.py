"""The command `registry`, as a person types it."""

from __future__ import annotations

import io

from django.core.management import call_command


def run(*words: str) -> str:
    """What it said on its standard output."""
    out = io.StringIO()
    call_command("registry", *words, stdout=out)
    return out.getvalue()
